/** Golden sets of Hugging Face's own code: which cases a folder holds, and that what is wrong is found. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { command } from '../../runtime/cli/golden.ts';
import { hfCases, isHfSet } from '../../runtime/golden/hf/cases.ts';
import { runHfCase } from '../../runtime/golden/hf/run.ts';
import { InputError } from '../../runtime/input-error.ts';
import { runCommand } from '../cli/capture.ts';
import { withDevice } from '../compiler/sessions.ts';
import { withShared } from '../shared.ts';

const t = suite('golden sets of Hugging Face');
const folder = mkdtempSync(join(tmpdir(), 'graft-golden-'));
t.after(() => rmSync(folder, { recursive: true }));

const write = (path: string, value: unknown): void => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), JSON.stringify(value));
};
const chat = (expected: object) => ({
  bos_token: '<s>',
  eos_token: null,
  chat_template:
    "{% if messages|length == 0 %}{{ raise_exception('nothing said') }}{% endif %}{{ bos_token }}{% for m in messages %}{{ m.content }}{{ mark }}{% endfor %}",
  cases: [
    {
      messages: [{ role: 'user', content: 'a' }],
      add_generation_prompt: false,
      kwargs: { mark: '!' },
      ...expected,
    },
  ],
});

t('a line a case; one that differs and one of an unknown family fail, and the next one runs', () =>
  withDevice(async () => {
    write('chat/right.json', chat({ expected: '<s>a!' }));
    write('chat/wrong.json', chat({ expected: '<s>a' }));
    write('base/odd/model/config.json', { model_type: 'odd_one' });
    assert.ok(isHfSet(folder));
    const { code, out } = await runCommand(command, [folder]);
    assert.is(code, 1);
    const lines = out.trimEnd().split('\n');
    assert.match(lines[0]!, /^FAILED base\/odd +not compared/);
    assert.match(lines[1]!, 'odd_one');
    assert.ok(lines.some((line) => /^ok {5}chat\/right +texts equal/.test(line)));
    assert.ok(lines.some((line) => /^FAILED chat\/wrong +texts DIFFER/.test(line)));
    assert.is(lines.at(-1), '1 passed, 2 failed');
    const one = await runCommand(command, [folder, 'chat/right']);
    assert.equal([one.code, one.out.trimEnd().split('\n').length], [0, 2]);
  }),
);

t('cases are named by kind, or one by one', () => {
  write('chat/right.json', {});
  write('chat/wrong.json', {});
  write('tokenizers/x/expected.json', {});
  const names = (...wanted: string[]): string[] => hfCases(folder, wanted).map(({ name }) => name);
  assert.equal(names('chat'), ['chat/right', 'chat/wrong']);
  assert.equal(names('tokenizers/x', 'chat/right'), ['tokenizers/x', 'chat/right']);
  assert.throws(
    () => names('chat/none'),
    (e: Error) => e instanceof InputError && /chat\/none/.test(e.message),
  );
});

/** What is wrong with a recorded base case after one of its files was changed. */
async function afterChange(shared: string, file: string, change: (value: never) => unknown): Promise<string> {
  const path = join(folder, 'changed');
  rmSync(path, { recursive: true, force: true });
  cpSync(join(shared, 'golden-hf/base/qwen3'), path, { recursive: true });
  writeFileSync(
    join(path, file),
    JSON.stringify(change(JSON.parse(readFileSync(join(path, file), 'utf8')) as never)),
  );
  let said = '';
  await withDevice(async (device) => {
    const report = await runHfCase(device, { kind: 'base', name: 'changed', path });
    said = report.failures.join('\n');
  });
  return said;
}

withShared(t, 'a base case: each file that is another is found', async (shared) => {
  await withDevice(async () => {
    type Lists = Record<string, number[][]>;
    const last = (list: number[][]) => [...list.slice(0, -1), [...list.at(-1)!.slice(0, -1), 1]];
    assert.is(await afterChange(shared, 'inputs.json', (it) => it), '');
    assert.match(
      await afterChange(shared, 'expected.json', (it: Lists) => ({ ...it, greedy: last(it['greedy']!) })),
      /^tokens: others than recorded in greedy 1$/,
    );
    assert.match(
      await afterChange(shared, 'inputs.json', (it: Lists) => ({ ...it, labels: last(it['labels']!) })),
      /^loss: [^]*gradients: /,
    );
    assert.match(
      await afterChange(shared, 'config_v4.json', (it: object) => ({ ...it, rms_norm_eps: 1e-5 })),
      /^texts: .*config_v4\.json/,
    );
    const other = await afterChange(shared, 'model/config.json', (it: object) => ({
      ...it,
      rope_parameters: { rope_type: 'default', rope_theta: 2 },
    }));
    assert.match(other, /logits: /);
  });
});

withShared(t, 'a case of each other kind', (shared) =>
  withDevice(async () => {
    const set = join(shared, 'golden-hf');
    const { code, out } = await runCommand(command, [
      set,
      'tokenizers',
      'chat',
      'gguf/qwen3',
      'peft/lora_qv',
      'base/llama32',
    ]);
    assert.is(code, 0, out);
    assert.match(out, /^ok +base\/llama32 .*logits .*loss .*outputs .*gradients .*tokens equal/m);
    assert.match(out, /^ok +gguf\/qwen3 .*logits .*rows 0/m);
    assert.match(out, /^ok +peft\/lora_qv .*step losses .*tokens equal/m);
  }),
);

t.run();
