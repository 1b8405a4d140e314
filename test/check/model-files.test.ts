/** `base NAME from "MODEL"`: what a model's config.json says becomes the base, and what is wrong with it is said there. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec, type Checked } from '../../compiler/check/check.ts';
import { type Host, memoryHost } from '../../compiler/host.ts';
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import type { Base } from '../../compiler/model/model.ts';
import { specOf } from '../../runtime/project/spec.ts';
import { modelFiles, qwen3 } from './models.ts';

const t = suite('bases from models');

const hostOf = (text: string, more: Partial<Host> = {}, config: unknown = qwen3): Host => ({
  ...memoryHost({
    'specs/x.adapter': text,
    ...Object.fromEntries(Object.entries(modelFiles).map(([path, file]) => [`specs/${path}`, file])),
    'specs/models/other/config.json': typeof config === 'string' ? config : JSON.stringify(config),
    'cache/small/config.json': JSON.stringify({ ...qwen3, num_hidden_layers: 7 }),
  }),
  ...more,
});

const check = (text: string, more?: Partial<Host>, config?: unknown): Checked =>
  checkSpec('specs/x.adapter', hostOf(text, more, config));

const said = ({ diagnostics }: Checked): string[] =>
  diagnostics.map(({ severity, code, message }) => `${severity} ${code} ${message}`);

/** The base `b` of a spec without mistakes. */
function base(text: string, more?: Partial<Host>, config?: unknown): Base {
  const checked = check(text, more, config);
  assert.equal(said(checked), []);
  return checked.bases['b']!;
}

t('sizes, positions, ends and files are those of the folder', () => {
  const { init, ...read } = base('base b from "models/qwen3"');
  assert.is(init, 0.02);
  assert.equal(read, {
    ...{ name: 'b', family: 'qwen3', layers: 3, dim: 36, heads: 4, kvHeads: 2, headDim: 12, ffn: 44 },
    ...{ vocab: 101, context: 64, normEps: 1e-6, tied: true },
    rope: {
      style: 'half',
      theta: 1e6,
      scaling: {
        ...{ kind: 'yarn', factor: 4, original: 16 },
        ...{ fast: 32, slow: 1, attention: null, truncate: true },
      },
    },
    weights: 'specs/models/qwen3',
    tokenizer: 'specs/models/qwen3',
    config: 'specs/models/qwen3/config.json',
  });
});

t('a slash behind the folder, and braces with nothing in them, change nothing', () => {
  const plain = base('base b from "models/qwen3"');
  assert.equal(base('base b from "models/qwen3/" {}'), plain);
});

t('attributes in braces count before those of the folder', () => {
  const read = base(
    'param long = 32\nbase b from "models/qwen3" { context = long  rope = half(theta: 10)  weights = "w.gguf" }',
  );
  assert.equal(read.rope, { style: 'half', theta: 10 });
  assert.is(read.context, 32);
  assert.is(read.weights, 'specs/w.gguf');
  assert.is(read.tokenizer, 'specs/models/qwen3');
  assert.is(read.layers, 3);
});

t('a window of the folder is taken away without naming its layers again', () => {
  const gemma = { ...qwen3, model_type: 'gemma2', sliding_window: 8, head_dim: 16 };
  const text = (braces: string): string => `base b from "models/other" { ${braces} }`;
  const windowOf = (braces: string) => {
    const { bases, diagnostics } = check(text(braces), {}, gemma);
    assert.equal(said({ diagnostics } as Checked), []);
    return bases['b']?.window;
  };
  assert.equal(windowOf(''), { tokens: 8, layers: [0, 2] });
  assert.is(windowOf('window = none'), undefined);
  const both = said(check(text('window = none  windowed = [0]'), {}, gemma));
  assert.equal(both, ['error A123 there is no window for these layers']);
});

t('a name that the host knows stands for its folder; a folder beside the spec comes first', () => {
  const model = (name: string): string | null => (name === 'org/small' ? 'cache/small' : null);
  const read = base('base b from "org/small"', { model });
  assert.equal([read.layers, read.weights], [7, 'cache/small']);
  assert.is(base('base b from "models/qwen3"', { model: () => 'cache/small' }).layers, 3);
  assert.equal(said(check('base b from "org/large"', { model })), [
    'error A136 there is no model at "org/large"',
  ]);
});

t('a model that is not there: where it was looked for and how to get it', () => {
  const { diagnostics, bases } = check('base b from "org/none" { contex = 3 }\nadapter A on b {}');
  assert.equal(
    diagnostics.map(({ code }) => code),
    ['A136', 'A117'],
  );
  const [missing] = diagnostics;
  assert.match(missing!.label ?? '', 'specs/org/none/config.json');
  assert.match(missing!.fix?.message ?? '', 'graft pull org/none');
  assert.equal(bases, {});
});

t('with its sizes in braces a base is checked without its files', () => {
  const sizes = 'family = qwen3  layers = 2  dim = 8  heads = 2  ffn = 8  vocab = 10';
  const checked = check(
    `base b from "none" { ${sizes} }\nadapter A on b { lora low on layers[5].attention.wq }`,
  );
  assert.equal(
    checked.diagnostics.map(({ severity, code }) => `${severity} ${code}`),
    ['warning A307', 'error A105'],
  );
  const { config, weights } = checked.bases['b']!;
  assert.equal([config, weights], [undefined, 'specs/none']);
});

t('a model that is refused: every key, at the string', () => {
  const text = 'base b from "models/other"';
  const config = { ...qwen3, hidden_act: 'relu', num_experts: 4 };
  const { diagnostics } = check(text, {}, config);
  assert.equal(
    diagnostics.map(({ code, span }) => [code, text.slice(span.start, span.end)]),
    [
      ['A137', '"models/other"'],
      ['A137', '"models/other"'],
    ],
  );
  assert.match(diagnostics[0]!.message, /^specs\/models\/other\/config\.json has `hidden_act` = `?"?relu/);
  assert.match(diagnostics[1]!.message, 'num_experts');
  assert.equal(said(check(text, {}, '[1')), ['error A137 specs/models/other/config.json is not valid JSON']);
  for (const file of ['[]', '"x"', 'null', '{}'])
    assert.match(said(check(text, {}, file)).join(), /^error A137 .*model of type `none`/, file);
});

t('numbers of a model that make no base are said at the string too', () => {
  const text = 'base b from "models/other"';
  for (const change of [{ num_key_value_heads: 3 }, { head_dim: 7 }, { hidden_size: 2 ** 21 }]) {
    const { diagnostics } = check(text, {}, { ...qwen3, ...change });
    assert.is(diagnostics.length, 1, JSON.stringify(change));
    assert.is(text.slice(diagnostics[0]!.span.start, diagnostics[0]!.span.end), '"models/other"');
  }
});

t('what a run is known by has the numbers of the folder, and no path', async () => {
  const text = 'base b from "models/other"\nadapter A on b { bias x on every linear }';
  const known = async (change: object) => {
    const checked = check(text, {}, { ...qwen3, ...change });
    assert.equal(said(checked), []);
    const { hash } = await specOf(checked, {});
    const { base } = attributesOf(lowerModel(checked));
    return { hash, base };
  };
  const one = await known({});
  assert.is(one.base['layers'], 3);
  assert.is(one.base['rope.scaling.factor'], 4);
  assert.not.match(JSON.stringify(one), 'config.json');
  assert.equal(await known({ transformers_version: '5' }), one);
  const other = await known({ rope_theta: 5 });
  assert.not.equal(other.base['rope.theta'], one.base['rope.theta']);
  assert.is.not(other.hash, one.hash);
});

t.run();
