/** `graft merge`: the file it writes runs as the bare base and says what the adapter said; what it refuses, and why. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { checkSpec } from '../../compiler/check/check.ts';
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import { mergedBase } from '../../compiler/merge/merge.ts';
import type { Base, Model } from '../../compiler/model/model.ts';
import { baseParameters } from '../../compiler/families/sites.ts';
import { command as generate } from '../../runtime/cli/generate.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { command as merge } from '../../runtime/cli/merge.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import type { NewTensor } from '../../runtime/weights/safetensors.ts';
import { openWeights } from '../../runtime/files.ts';
import { writeSafetensors } from '../../runtime/files/write.ts';
import { adapterMetadata, exportAdapter } from '../../runtime/weights/adapter.ts';
import { baseMetadata, loadBase } from '../../runtime/weights/base.ts';
import { randomValues } from '../compiler/subjects.ts';
import { distance, forward, openModel, withDevice } from '../compiler/sessions.ts';
import { runCommand } from './capture.ts';
import { baseText, makeProject } from './tiny-project.ts';

const t = suite('merge: command');
const folder = mkdtempSync(join(tmpdir(), 'graft-merge-'));
const at = (name: string): string => join(folder, name);
t.before(async () => {
  await makeProject(folder);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const all = `  scale inside  on every linear in layers { side = input }
  lora  low     on layers.attention.{wq, wv} + output { rank = 2 }
  bias  biases  on every linear in layers + every norm
  scale scales  on every linear in layers + every norm
  unfreeze norms on every norm
  task one on some trains inside + low + biases + scales + norms { template = "{instruction}={output}" }`;

/** A spec with these items, on a base of this file. */
function writeSpec(name: string, items: string, base = 'base.adapter'): string {
  writeFileSync(
    at(name),
    `import "${base}"\nadapter X on small {\n${items}\n}\ndata some = instructions("some.jsonl")\n`,
  );
  return at(name);
}

/** The model of a spec with random numbers in whatever it trains, and the file that has them. */
async function trained(
  spec: string,
): Promise<{ model: Model; values: Map<string, Float32Array>; file: string }> {
  const model = loadModel(nodeHost, spec);
  const source = await openWeights(model.base.weights ?? '');
  const own = await loadBase(source, model.base, baseParameters(model.base));
  await source.close();
  const random = randomValues(model);
  const names = new Set(model.tasks.flatMap((task) => task.trains));
  const parameters = model.parameters.filter((p) => names.has(p.name));
  const file = spec.replace('.adapter', '.trained.safetensors');
  const tensors = parameters.map(({ name, shape }) => ({ name, shape, values: random.get(name)! }));
  await writeSafetensors(file, tensors, adapterMetadata(model, own.fingerprint, ''));
  const changed = new Map(tensors.map(({ name, values }) => [name, values]));
  return { model, values: new Map([...own.values, ...changed]), file };
}

/** The merged model as its spec declares it, with the numbers of its file. */
async function read(spec: string): Promise<{ model: Model; values: Map<string, Float32Array> }> {
  const model = loadModel(nodeHost, spec);
  const source = await openWeights(model.base.weights ?? '');
  const { values, unexpected } = await loadBase(source, model.base, baseParameters(model.base));
  await source.close();
  assert.equal(unexpected, []);
  return { model, values };
}

async function compareOnDevice(before: Awaited<ReturnType<typeof trained>>, merged: string): Promise<void> {
  const after = await read(merged);
  await withDevice(async (device) => {
    const sizes = { batch: 1, tokens: 8 };
    const tokens = Uint32Array.from([1, 5, 80, 260, 261, 3, 100, 7]);
    const rows = async ({ model, values }: Pick<typeof before, 'model' | 'values'>) =>
      (await forward(await openModel(device, model, values, { forward: sizes }), tokens)).flatMap((r) => [
        ...r,
      ]);
    const apart = distance(await rows(before), await rows(after));
    assert.ok(apart < 1e-5, `they differ by ${apart}`);
  });
}

t('a merged base and its spec', async () => {
  const before = await trained(writeSpec('all.adapter', all));
  const { code, out, err } = await runCommand(merge, [
    ...[at('all.adapter'), '--adapter', before.file, '--out', at('merged.safetensors')],
  ]);
  assert.is(code, 0, err);
  assert.match(out, /merged\.safetensors: 36 tensors, F32, [\d.]+ MiB/);
  assert.match(err, /biases were added to wq, wk, wv, wo, w1, w2, w3, output/);
  const checked = checkSpec(at('merged.adapter'), nodeSpecs);
  assert.equal(checked.diagnostics, []);
  const { weights, tokenizer, ...base } = checked.bases['small_merged'] as Base;
  assert.equal(base, mergedBase(before.model));
  assert.equal([weights, tokenizer], [at('merged.safetensors'), at('tokenizer.bin')]);
  await compareOnDevice(before, at('merged.adapter'));
});

t('answers are the same', () =>
  withDevice(async () => {
    const ask = ['--prompt', 'abc=', '--max-tokens', '6'];
    const file = at('all.trained.safetensors');
    const before = await runCommand(generate, [at('all.adapter'), '--adapter', file, ...ask]);
    const after = await runCommand(generate, [at('merged.adapter'), ...ask]);
    assert.equal([before.code, after.code], [0, 0], before.err + after.err);
    assert.is(after.out, before.out);
  }),
);

t('a base of Hugging Face keeps its names, its order of rows and what transformers asks for', async () => {
  const { model, values } = await trained(writeSpec('all.adapter', all));
  const tied = baseText
    .replace('context', 'tied = true  context')
    .replace('base.safetensors', 'hf.safetensors');
  writeFileSync(at('hf.base.adapter'), tied);
  const tensors = baseParameters({ ...model.base, tied: true });
  await writeSafetensors(
    at('hf.safetensors'),
    tensors.map(({ name, shape, source }) => ({
      name: source!.names.huggingface,
      shape,
      values: values.get(name)!,
    })),
    { format: 'pt' },
  );
  const before = await trained(writeSpec('hf.adapter', all, 'hf.base.adapter'));
  const { code, err } = await runCommand(merge, [
    ...[at('hf.adapter'), '--adapter', before.file, '--out', at('hf-merged.safetensors')],
  ]);
  assert.is(code, 0, err);
  for (const note of [
    /"attention_bias": true/,
    /"mlp_bias": true/,
    /no bias on lm_head/,
    /"tie_word_embeddings": false/,
  ])
    assert.match(err, note);
  const file = await openWeights(at('hf-merged.safetensors'));
  assert.is(file.metadata['format'], 'pt');
  for (const name of ['self_attn.q_proj.bias', 'mlp.down_proj.weight', 'input_layernorm.weight'])
    assert.ok(file.tensors.has(`model.layers.1.${name}`), name);
  assert.ok(file.tensors.has('lm_head.weight') && file.tensors.has('model.embed_tokens.weight'));
  await file.close();
  await compareOnDevice(before, at('hf-merged.adapter'));
});

t('an official checkpoint is merged with the norms its spec trains', async () => {
  const items = `  scale inside on every linear in layers { side = input }
  bias biases on every linear in layers
  unfreeze norms on layers.{attention_norm, ffn_norm}
  task one on some trains inside + biases + norms { template = "{instruction}={output}" }`;
  const before = await trained(writeSpec('chat.adapter', items));
  const own = new Set(before.model.tasks.flatMap((task) => task.trains));
  const values = new Map([...before.values].filter(([name]) => own.has(name)));
  const random = randomValues(before.model);
  for (const { name, owner } of before.model.parameters)
    if (owner !== 'base') values.set(name, random.get(name)!);
  await writeSafetensors(at('chat.safetensors'), exportAdapter(values, before.model, 'chat65b'));
  const { code, err } = await runCommand(merge, [
    ...[at('chat.adapter'), '--adapter', at('chat.safetensors'), '--out', at('chat-merged.safetensors')],
  ]);
  assert.is(code, 0, err);
  assert.not.match(err, /keep their start/);
  await compareOnDevice(
    { ...before, values: new Map([...before.values, ...values]) },
    at('chat-merged.adapter'),
  );
});

t('the whole base, trained, is merged too', async () => {
  const spec = writeSpec(
    'full.adapter',
    '  task one on some trains base { template = "{instruction}={output}" }',
  );
  const before = await trained(spec);
  const { code, err } = await runCommand(merge, [
    spec,
    '--adapter',
    before.file,
    '--out',
    at('whole.safetensors'),
  ]);
  assert.is(code, 0, err);
  const { values } = await read(at('whole.adapter'));
  for (const [name, numbers] of values) assert.equal(numbers, before.values.get(name), name);
});

t('halves are rounded, and say by how much', async () => {
  for (const [dtype, stored, bound] of [
    ['f16', 'F16', 2 ** -11],
    ['bf16', 'BF16', 2 ** -8],
  ] as const) {
    const line = [at('all.adapter'), '--adapter', at('all.trained.safetensors'), '--dtype', dtype];
    const { code, err } = await runCommand(merge, [...line, '--out', at(`${dtype}.safetensors`)]);
    assert.is(code, 0, err);
    assert.match(err, /rounded: the largest change of a number is \d/);
    const share = new RegExp(
      `^(\\d+\\.\\d)% of the adapter's change survives in ${stored}; least in \\S+: \\d+\\.\\d%$`,
      'm',
    );
    assert.ok(Number(share.exec(err)?.[1]) > 99, err);
    const [exact, rounded] = [await read(at('merged.adapter')), await read(at(`${dtype}.adapter`))];
    for (const [name, numbers] of rounded.values)
      numbers.forEach((x, i) => {
        const wanted = exact.values.get(name)?.[i] ?? NaN;
        assert.ok(
          Math.abs(x - wanted) <= bound * Math.abs(wanted) + 1e-7,
          `${stored} ${name}: ${x}, ${wanted}`,
        );
      });
  }
});

t('a base that is stored in few bits rounds what was folded in, and that is said', async () => {
  writeFileSync(at('q4.adapter'), baseText.replace('weights =', 'store = q4  weights ='));
  const items = '  lora low on layers.attention.wq { rank = 2 }\n  task one on some trains low';
  const spec = writeSpec('stored.adapter', items, 'q4.adapter');
  const { file } = await trained(spec);
  const line = [spec, '--adapter', file, '--out', at('stored-out.safetensors')];
  const { code, err } = await runCommand(merge, line);
  assert.is(code, 0, err);
  assert.match(err, /`store = q4` stands in the new spec .* rounded again when they are loaded/);
  assert.match(readFileSync(at('stored-out.adapter'), 'utf8'), /store = q4/);
});

t('a change that 16 bits would round away is refused, and what is left of it is said', async () => {
  const spec = writeSpec(
    'small.adapter',
    '  lora low on layers.attention.{wq, wv} { rank = 2 }  task one on some trains low { template = "{instruction}={output}" }',
  );
  const { file, values } = await trained(spec);
  // The base in bf16, as most are distributed, so that a change either reaches the next number or does not.
  const source = await openWeights(loadModel(nodeHost, spec).base.weights ?? '');
  const tensors: NewTensor[] = [];
  for (const { name, shape } of source.tensors.values())
    tensors.push({ name, shape, values: await source.read(name), dtype: 'BF16' });
  await source.close();
  await writeSafetensors(at('even.safetensors'), tensors, baseMetadata(loadModel(nodeHost, spec).base));
  writeFileSync(at('even-base.adapter'), baseText.replace('base.safetensors', 'even.safetensors'));
  const even = writeSpec(
    'even.adapter',
    readFileSync(spec, 'utf8').split('\n')[2] ?? '',
    'even-base.adapter',
  );
  const model = loadModel(nodeHost, even);
  const opened = await openWeights(model.base.weights ?? '');
  const { fingerprint } = await loadBase(opened, model.base, baseParameters(model.base));
  await opened.close();
  const write = (factor: number): Promise<void> => {
    const scaled = model.parameters
      .filter(({ owner }) => owner === 'low')
      .map(({ name, shape }) => ({
        name,
        shape,
        values: values.get(name)!.map((x) => (name.endsWith('.b') ? factor * x : x)),
      }));
    return writeSafetensors(file, scaled, adapterMetadata(model, fingerprint, ''));
  };
  const line = (out: string, ...rest: string[]): string[] => [
    ...[even, '--adapter', file, '--dtype', 'bf16', '--out', at(out), ...rest],
  ];
  await write(1e-5);
  const tiny = await runCommand(merge, line('tiny.safetensors'));
  assert.is(tiny.code, 1);
  assert.match(
    tiny.err,
    /only 0\.\d% of the adapter's change survives in BF16; least in \S+: 0\.0%; --max-loss allows 10\.0%.*f32 or f16.*--max-loss/s,
  );
  assert.not(existsSync(at('tiny.safetensors')) || existsSync(at('tiny.adapter')));
  const allowed = await runCommand(merge, line('tiny.safetensors', '--max-loss', '1'));
  assert.is(allowed.code, 0, allowed.err);
  assert.match(allowed.err, /^0\.\d% of the adapter's change survives in BF16/m);
  await write(1);
  const large = await runCommand(merge, line('large.safetensors', '--max-loss', '0.01'));
  assert.is(large.code, 0, large.err);
  await write(0);
  const none = await runCommand(merge, line('none.safetensors'));
  assert.match(none.err, /the adapter changes none of the numbers of its base/);
  assert.is((await runCommand(merge, line('odd.safetensors', '--max-loss', '2'))).code, 2);
});

t('under another alpha the merge says so, and goes on when it is told to', async () => {
  const items = (alpha: number): string =>
    `  lora low on layers.attention.wq { rank = 2 alpha = ${alpha} }  task one on some trains low { template = "{instruction}={output}" }`;
  const { model, file, values } = await trained(writeSpec('four.adapter', items(4)));
  const source = await openWeights(file);
  const { metadata } = source;
  await source.close();
  const tensors = model.parameters
    .filter(({ owner }) => owner === 'low')
    .map(({ name, shape }) => ({ name, shape, values: values.get(name)! }));
  await writeSafetensors(file, tensors, { ...metadata, attributes: JSON.stringify(attributesOf(model)) });
  const line = [
    writeSpec('eight.adapter', items(8)),
    '--adapter',
    file,
    '--out',
    at('eight-merged.safetensors'),
  ];
  const refused = await runCommand(merge, line);
  assert.is(refused.code, 1);
  assert.match(refused.err, /`low`: alpha was 4 when it was trained, and is 8 here/);
  const allowed = await runCommand(merge, [...line, '--allow-changes']);
  assert.is(allowed.code, 0, allowed.err);
  assert.match(allowed.err, /alpha was 4/);
});

t('a number that a half cannot hold is refused, and no file is left', async () => {
  const spec = writeSpec(
    'overflow.adapter',
    '  scale s on layers[0].attention.wo\n  task one on some trains s { template = "{instruction}={output}" }',
  );
  const { model, file } = await trained(spec);
  const source = await openWeights(file);
  const { metadata } = source;
  await source.close();
  const values = new Float32Array(model.base.dim).fill(1e7);
  const name = 's.layers.0.attention.wo';
  await writeSafetensors(file, [{ name, shape: [model.base.dim], values }], metadata);
  const line = [spec, '--adapter', file, '--out', at('huge.safetensors'), '--dtype', 'f16'];
  const { code, err } = await runCommand(merge, line);
  assert.is(code, 1);
  assert.match(
    err,
    /`layers\.0\.attention\.wo\.weight` would hold -?\d+.* which F16 has no number for.*f32 or bf16/s,
  );
  assert.not(existsSync(at('huge.safetensors')) || existsSync(at('huge.adapter')));
});

t('what cannot be merged is named with its reason and a way out', async () => {
  const spec = writeSpec(
    'prompts.adapter',
    '  prompt words on layers[last 1] { length = 2 }\n  lora low on layers.attention.wv { rank = 2 }\n  task one on some trains words + low { template = "{instruction}={output}" }',
  );
  const { code, err } = await runCommand(merge, [spec, '--adapter', 'x', '--out', at('never.safetensors')]);
  assert.is(code, 1);
  assert.match(err, /`words` \(prompt\): the words attend to its tokens/);
  assert.match(err, /`low` \(lora\): the keys and values of `words` leave it out/);
  assert.match(err, /adapter Rest extends X \{ drop words \}/);
});

t('nothing is overwritten, and a line that makes no sense is said to', async () => {
  const adapter = ['--adapter', at('all.trained.safetensors')];
  const spec = at('all.adapter');
  const before = readFileSync(at('base.safetensors'));
  for (const [line, code, words] of [
    [[spec, ...adapter, '--out', at('base.safetensors')], 1, /base\.safetensors exists/],
    [[spec, ...adapter, '--out', at('some.safetensors.adapter')], 2, /--out takes a FILE\.safetensors/],
    [[spec, ...adapter, '--out', at('spec.safetensors')], 1, /spec\.adapter exists/],
    [[spec, '--out', at('y.safetensors')], 2, /give the trained parameters with --adapter/],
    [[spec, ...adapter, '--out', at('y.safetensors'), '--dtype', 'int8'], 2, /--dtype takes f32, f16, bf16/],
    [[...adapter, '--out', at('y.safetensors')], 2, /give one spec/],
    [
      [spec, '--adapter', at('base.safetensors'), '--out', at('y.safetensors')],
      1,
      /is no adapter: `X` has no place for/,
    ],
  ] as const) {
    const outcome = await runCommand(merge, line);
    assert.is(outcome.code, code, outcome.err);
    assert.match(outcome.err, words, outcome.err);
  }
  assert.equal(readFileSync(at('base.safetensors')), before);
  assert.not(existsSync(at('y.safetensors')));
});

t.run();
