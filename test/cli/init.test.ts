/** `graft init`: every combination of choices makes a spec that checks clean, or is refused with what to do. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { runCommand } from './capture.ts';
import { parse } from '../../grammar/parser.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { chooseBase, knownBases } from '../../runtime/cli/init/bases.ts';
import { fusions, methods, problemOf, scaffold, tasks } from '../../runtime/cli/init/scaffold.ts';
import { choose, command } from '../../runtime/cli/init.ts';
import { command as checkCommand } from '../../runtime/cli/check.ts';
import { command as showCommand } from '../../runtime/cli/show.ts';
import { UsageError } from '../../runtime/cli/command.ts';
import { formatText } from '../../runtime/cli/formatting.ts';
import { InputError } from '../../runtime/input-error.ts';
import { endsInWarmup, horizonOf, learningRate } from '../../runtime/train/learning-rate.ts';

const t = suite('init');
const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'graft init '));
t.after(() => rmSync(folder, { recursive: true, force: true }));

/** Every set of tasks but the empty one. */
const names = Object.keys(tasks);
const taskSets = Array.from({ length: 2 ** names.length - 1 }, (_, bits) =>
  names.filter((_, i) => ((bits + 1) >> i) % 2 === 1),
);

const complaints = (text: string): string[] => {
  const { diagnostics, sources } = checkSpec('my.adapter', memoryHost({ 'my.adapter': text }));
  return diagnostics.map((d) => renderDiagnostic(d, sources));
};

for (const base of knownBases)
  t(`every method, fusion and task on ${base}`, async () => {
    let made = 0;
    for (const method of Object.keys(methods))
      for (const fusion of Object.keys(fusions))
        for (const chosen of taskSets) {
          const choice = { method, fusion, tasks: chosen };
          const sees = chosen.includes('caption');
          if (problemOf(choice) !== null) {
            assert.is(sees, fusion === 'none', JSON.stringify(choice));
            continue;
          }
          // One base is enough for all combinations: the others differ in numbers.
          if (base !== knownBases[0] && made > 0) return;
          const text = scaffold({ ...choice, base: await chooseBase(base, 'my.adapter') });
          assert.equal(complaints(text), [], text);
          assert.not.match(text, /[ \t]$/m, 'no blanks at the end of a line');
          assert.not.match(text, /\n\n\n|^.{111}/m, 'one blank line, and no line too long');
          assert.ok(parse({ file: '', text }).file.comments.length >= 2, 'it is commented');
          made += 1;
        }
    assert.is(made, Object.keys(methods).length * (3 + 3 * 4));
  });

t('a base that a file declares is imported, from where the spec will be', async () => {
  const out = join(root, 'examples/my.adapter');
  const base = await chooseBase(join(root, 'examples/base/base.adapter'), out);
  assert.match(base.text, /^import "base\/base.adapter"/);
  const text = scaffold({ base, method: 'v2', fusion: 'early', tasks: ['instruct', 'caption'] });
  const host = { ...nodeSpecs, readFile: (file: string) => (file === out ? text : nodeSpecs.readFile(file)) };
  const checked = checkSpec(out, host);
  assert.equal(checked.diagnostics, []);
  assert.is(lowerModel(checked).base.name, 'english1m');
});

const config = {
  model_type: 'llama',
  num_hidden_layers: 2,
  hidden_size: 16,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 24,
  vocab_size: 100,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  rope_theta: 500000,
  tie_word_embeddings: true,
};

t("a base from a folder with Hugging Face's config", async () => {
  const model = join(folder, 'Tiny-1.1B chat');
  mkdirSync(model);
  writeFileSync(join(model, 'config.json'), JSON.stringify(config));
  writeFileSync(join(model, 'tokenizer.json'), '{}');
  const out = join(folder, 'my.adapter');
  const base = await chooseBase(model, out);
  const text = scaffold({ base, method: 'lora', fusion: 'none', tasks: ['text'] });
  assert.match(text, /^base model_Tiny_1_1B_chat from "Tiny-1.1B chat"$/m);
  writeFileSync(out, text);
  const checked = checkSpec(out, nodeSpecs);
  assert.equal(checked.diagnostics, []);
  const read = checked.bases[base.name];
  assert.equal(
    [read?.layers, read?.kvHeads, read?.headDim, read?.context, read?.tied, read?.weights, read?.tokenizer],
    [2, 2, 4, 64, true, model, model],
  );
  assert.equal(read?.rope, { style: 'half', theta: 500000 });
  const origin = `model_Tiny_1_1B_chat is read from ${join(model, 'config.json')}: family llama`;
  const [checking, showing] = [await runCommand(checkCommand, [out]), await runCommand(showCommand, [out])];
  assert.ok(checking.out.includes(`${origin}, 2 layers of width 16, 4 heads`), checking.out);
  assert.ok(showing.out.split('\n').includes(origin), showing.out);
  const spec = join(root, 'specs/lora.adapter');
  const moved = await runCommand(showCommand, [spec, '--base', model]);
  assert.match(moved.out, `model is read from ${join(model, 'config.json')}: family llama`);
  const nowhere = await runCommand(showCommand, [spec, '--base', join(folder, 'none')]);
  assert.is(nowhere.code, 2);
  assert.match(nowhere.err, /the folder of a model.*there is no model at/);
  for (const change of [{ model_type: 'gpt2' }, { rope_scaling: { factor: 8 } }, { vocab_size: undefined }]) {
    writeFileSync(join(model, 'config.json'), JSON.stringify({ ...config, ...change }));
    assert.instance(await chooseBase(model, out).catch((e: unknown) => e), InputError);
  }
});

t('what is asked: only what no flag says, with a default in brackets', async () => {
  const asked: string[] = [];
  const answers = ['', 'early', '', 'x.adapter'];
  const chosen = await choose({ method: 'lora' }, (question) => {
    asked.push(question);
    return Promise.resolve(answers[asked.length - 1] ?? '');
  });
  assert.equal(chosen, {
    base: 'llama7b',
    method: 'lora',
    fusion: 'early',
    tasks: ['instruct', 'caption'],
    out: 'x.adapter',
  });
  assert.is(asked.length, 4);
  assert.match(asked[0] ?? '', /^base: llama7b, .* \[llama7b\]: $/);
});

t('choices that do not fit are refused with what would', async () => {
  const says = async (flags: Parameters<typeof choose>[0], words: RegExp): Promise<void> => {
    const failure = await choose(flags, null).catch((e: unknown) => e);
    assert.instance(failure, UsageError);
    assert.match((failure as Error).message, words);
  };
  await says({ method: 'v3' }, /--method is one of v1, v2/);
  await says({ fusion: 'middle' }, /--fusion is one of/);
  await says({ tasks: 'instruct,chat' }, /--tasks is one of/);
  await says({ tasks: ',' }, /--tasks is a list/);
  await says({ tasks: 'caption', fusion: 'none' }, /choose --fusion/);
  await says({ tasks: 'instruct', fusion: 'early' }, /needs the task caption/);
  assert.instance(await chooseBase('llama8b', 'my.adapter').catch((e: unknown) => e), UsageError);
});

t('what it writes is formatted', async () => {
  const out = join(folder, 'formatted.adapter');
  for (const method of Object.keys(methods))
    for (const fusion of ['early', 'late', 'input']) {
      const flags = ['--yes', '--force', '--method', method, '--fusion', fusion, '--out', out];
      assert.is(await command.run(flags), 0);
      const text = readFileSync(out, 'utf8');
      assert.is(text, await formatText(text), `${method}, ${fusion}`);
      assert.match(text, /trains seeing/);
    }
});

t('the command: no terminal, no questions; nothing is written over', async () => {
  const out = join(folder, 'first.adapter');
  const line = ['--import', 'tsx', join(root, 'runtime/cli/main.ts'), 'init', '--out', out];
  const run = spawnSync(process.execPath, line, { cwd: root, input: '', encoding: 'utf8' });
  assert.is(run.status, 0, run.stderr);
  assert.match(run.stderr, /graft show/);
  assert.equal(complaints(readFileSync(out, 'utf8')), []);
  assert.instance(await command.run(['--yes', '--out', out]).catch((e: unknown) => e), InputError);
  assert.is(await command.run(['--yes', '--force', '--method', 'v1', '--out', out]), 0);
  assert.match(readFileSync(out, 'utf8'), /arXiv 2303\.16199/);
  const nowhere = join(folder, 'no', 'such.adapter');
  assert.instance(await command.run(['--yes', '--out', nowhere]).catch((e: unknown) => e), InputError);
  assert.not(existsSync(nowhere));
});

t(
  'a new recipe suits data of any size: its warm-up is shorter than the run, and its first step learns',
  async () => {
    const base = await chooseBase(knownBases[0] ?? '', 'my.adapter');
    const text = scaffold({ base, method: 'lora', fusion: 'none', tasks: ['instruct'] });
    const [recipe] = lowerModel(checkSpec('my.adapter', memoryHost({ 'my.adapter': text }))).recipes;
    assert.ok(recipe);
    for (const perEpoch of [1, 2, 4, 30, 1000]) {
      const horizon = horizonOf(recipe, perEpoch);
      assert.not(endsInWarmup(recipe, horizon), `${perEpoch} steps an epoch`);
      assert.ok(learningRate(recipe, horizon, 0) > 0, `${perEpoch} steps an epoch`);
    }
  },
);

t.run();
