/** `template = chat` from the data to the answers, and an adapter under another template. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseParameters } from '../../compiler/families/sites.ts';
import { writeSafetensors } from '../../runtime/files/write.ts';
import { createRandom } from '../../runtime/random.ts';
import { trainBpe } from '../../runtime/tokenizer/train-bpe.ts';
import { baseMetadata } from '../../runtime/weights/base.ts';
import { withDevice } from '../compiler/sessions.ts';
import { graftEach } from './processes.ts';
import { base as small, baseText } from './tiny-project.ts';

const t = suite('chat template of a model');
const folder = mkdtempSync(join(tmpdir(), 'graft-template-'));
t.after(() => rmSync(folder, { recursive: true }));

const specialTokens = ['<unk>', '<s>', '</s>', '<|im_start|>', '<|im_end|>'];
const template = (user: string): string =>
  `{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + ('${user}' if m.role == 'user' else m.role) + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

async function makeProject(): Promise<void> {
  const base = { ...small, vocab: 300, context: 96 };
  const random = createRandom('chat');
  const tensors = baseParameters(base).map(({ name, shape }) => ({
    name,
    shape,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
      name.endsWith('norm.weight') ? 1 : 0.3 * random.normal(),
    ),
  }));
  await writeSafetensors(join(folder, 'base.safetensors'), tensors, baseMetadata(base));
  const json = trainBpe(['a word'], { vocabSize: 300, specialTokens, bytes: 'all' });
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('tokenizer.json', JSON.stringify(json));
  write('tokenizer_config.json', JSON.stringify({ bos_token: '<s>', eos_token: '</s>' }));
  write(
    'base.adapter',
    baseText
      .replace('vocab = 264', 'vocab = 300')
      .replace('context = 48', 'context = 96')
      .replace('tokenizer.bin', 'tokenizer.json'),
  );
  const turns = (...texts: string[]): object[] =>
    texts.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));
  write(
    'talks.jsonl',
    [turns('a', 'b'), turns('a', 'b', 'c', 'd')]
      .map((messages) => `${JSON.stringify({ messages })}\n`)
      .join(''),
  );
  write(
    'spec.adapter',
    `import "base.adapter"
data talks = chat("talks.jsonl")
adapter Talks on small {
  lora low on layers.attention.{wq, wv} { rank = 2 }
  task talk on talks trains low { template = chat  test = talks }
}
recipe short for Talks { steps = 3  batch = 2 }
`,
  );
}

t('train, score and generate; the adapter remembers the template', () =>
  withDevice(async () => {
    await makeProject();
    const adapter = 'runs/Talks/adapter.safetensors';
    const ask = [
      'generate',
      'spec.adapter',
      '--adapter',
      adapter,
      '--ask',
      'a',
      '--max-tokens',
      '3',
      '--verbose',
    ];
    const [without] = await graftEach([['train', 'spec.adapter']], folder);
    assert.is(without?.code, 1);
    assert.match(without?.err ?? '', /tokenizer\.json has no chat template[^]*chat_template\.jinja/);
    writeFileSync(join(folder, 'chat_template.jinja'), template('user'));
    const [train, generate] = await graftEach([['train', 'spec.adapter'], ask], folder);
    assert.is(train?.code, 0, train?.err);
    assert.is(generate?.code, 0, generate?.err);
    const prompt = '<s><|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n';
    assert.ok(generate?.err.includes(JSON.stringify(prompt)), generate?.err);
    writeFileSync(join(folder, 'chat_template.jinja'), template('human'));
    const [other, allowed] = await graftEach([ask, [...ask, '--allow-changes']], folder);
    assert.is(other?.code, 1);
    assert.match(other?.err ?? '', /task `talk`: chat template was [^]*user[^]*human[^]*--allow-changes/);
    assert.is(allowed?.code, 0, allowed?.err);
  }),
);

t.run();
