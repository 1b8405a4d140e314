/**
 * LLaMA and what the adapters add to it, written once more from the papers' formulas, a word at a time, and compared with
 * the graphs: an oracle that shares no code with them but the numbers.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildForward } from '../../compiler/build/programs.ts';
import { interpret } from '../../compiler/ops/interpret.ts';
import { type Base, ceil4, type Model, type Site } from '../../compiler/model/model.ts';
import { givenFor, inputsOf, packAll, randomBatch } from './oracle.ts';
import { modelOf, odd, randomValues, tiny, sourceOf } from './subjects.ts';

const t = suite('reference');
const TOKENS = 6;

type Vector = readonly number[];
/** A parameter by name, as a list of rows. */
type Table = (name: string) => Vector[];

const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? NaN), 0);
const times = (w: readonly Vector[], x: Vector): number[] => w.map((row) => dot(row, x));
const plus = (a: Vector, b: Vector): number[] => a.map((x, i) => x + (b[i] ?? NaN));

/** RMSNorm: x / sqrt(mean(x^2) + eps) * w. */
const norm = (x: Vector, w: Vector, eps: number): number[] => {
  const root = Math.sqrt(dot(x, x) / x.length + eps);
  return x.map((value, i) => (value / root) * (w[i] ?? NaN));
};

/** Rotary positions of one head (RoFormer, equation 34): neighbours, or halves, are turned by t theta^(-2j/d). */
const rotate = (x: Vector, position: number, { rope }: Base): number[] => {
  const half = x.length / 2;
  const out = [...x];
  for (let j = 0; j < half; j++) {
    const angle = position * rope.theta ** ((-2 * j) / x.length);
    const [a, b] = rope.style === 'interleaved' ? [2 * j, 2 * j + 1] : [j, j + half];
    const [u, v] = [x[a] ?? NaN, x[b] ?? NaN];
    out[a] = u * Math.cos(angle) - v * Math.sin(angle);
    out[b] = u * Math.sin(angle) + v * Math.cos(angle);
  }
  return out;
};

const headOf = (x: Vector, head: number, size: number): Vector => x.slice(head * size, (head + 1) * size);

/** softmax(q K^T / sqrt(d)) V for one query. */
function attend(q: Vector, keys: readonly Vector[], values: readonly Vector[]): number[] {
  const scores = keys.map((key) => dot(q, key) / Math.sqrt(q.length));
  const top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - top));
  const total = weights.reduce((a, b) => a + b, 0);
  return q.map((_, i) => weights.reduce((sum, w, j) => sum + (w / total) * (values[j]?.[i] ?? NaN), 0));
}

interface Additions {
  /** scale * (W x + bias) on every linear of a layer. */
  readonly vectors?: boolean;
  /** Prompt tokens behind a tanh gate a head, in this layer only. */
  readonly prompt?: number;
  /** The prompt's keys do not pass the base's norm of keys. */
  readonly rawKeys?: boolean;
  /** Trained keys and values in front of the words: how many. */
  readonly prefix?: number;
}

/** Logits of every word of one sequence. */
function logitsOf(base: Base, table: Table, ids: readonly number[], has: Additions): number[][] {
  const { heads, kvHeads, headDim, normEps } = base;
  const vector = (name: string): Vector => table(name).flat();
  const linear = (name: string, x: Vector): number[] => {
    const y = times(table(`${name}.weight`), x);
    return has.vectors && name.startsWith('layers')
      ? plus(y, vector(`b.${name}`)).map((v, i) => v * (vector(`s.${name}`)[i] ?? NaN))
      : y;
  };
  const shift = has.prefix ?? 0;
  let stream = ids.map((id) => table('tok_embeddings.weight')[id] ?? []);
  for (let layer = 0; layer < base.layers; layer++) {
    const at = `layers.${layer}`;
    const inputs = stream.map((x) => norm(x, vector(`${at}.attention_norm.weight`), normEps));
    /** The norm of each head, or of all of them, where the base has one. */
    const headsNormed = (name: string, x: Vector): Vector => {
      const w = vector(`${at}.attention.${name}.weight`);
      if (w.length === 0 || w.length === x.length) return w.length === 0 ? x : norm(x, w, normEps);
      return Array.from({ length: x.length / headDim }, (_, head) =>
        norm(headOf(x, head, headDim), w, normEps),
      ).flat();
    };
    const keys = inputs.map((x) => headsNormed('k_norm', linear(`${at}.attention.wk`, x)));
    const values = inputs.map((x) => linear(`${at}.attention.wv`, x));
    const prefix = ['key', 'value'].map((what) => (shift > 0 ? table(`f.${at}.${what}`) : []));
    const prompt = has.prompt === layer ? table(`w.${at}.prompt`) : [];
    stream = stream.map((x, position) => {
      const q = headsNormed('q_norm', linear(`${at}.attention.wq`, inputs[position] ?? []));
      const mixed = Array.from({ length: heads }, (_, head) => {
        const shared = Math.floor(head / (heads / kvHeads));
        const pick = (rows: readonly Vector[]) => rows.map((row) => headOf(row, shared, headDim));
        const turned = rotate(headOf(q, head, headDim), position + shift, base);
        const seen = pick(keys.slice(0, position + 1)).map((key, p) => rotate(key, p + shift, base));
        const o = attend(
          turned,
          [...pick(prefix[0] ?? []), ...seen],
          [...pick(prefix[1] ?? []), ...pick(values.slice(0, position + 1))],
        );
        if (prompt.length === 0) return o;
        const promptKeys = prompt.map((token) => linear(`${at}.attention.wk`, token));
        const pk = pick(has.rawKeys ? promptKeys : promptKeys.map((key) => headsNormed('k_norm', key)));
        const pv = pick(prompt.map((token) => linear(`${at}.attention.wv`, token)));
        const gate = Math.tanh(vector(`w.${at}.gate`)[head] ?? NaN);
        return plus(
          o,
          attend(turned, pk, pv).map((v) => gate * v),
        );
      }).flat();
      const h = plus(x, linear(`${at}.attention.wo`, mixed));
      const n = norm(h, vector(`${at}.ffn_norm.weight`), normEps);
      const [u, v] = [linear(`${at}.feed_forward.w1`, n), linear(`${at}.feed_forward.w3`, n)];
      return plus(
        h,
        linear(
          `${at}.feed_forward.w2`,
          u.map((value, i) => (value / (1 + Math.exp(-value))) * (v[i] ?? NaN)),
        ),
      );
    });
  }
  return stream.map((x) => linear('output', norm(x, vector('norm.weight'), normEps)));
}

function check(model: Model, has: Additions): void {
  const values = randomValues(model);
  const byName = new Map(model.parameters.map((p) => [p.name, p]));
  const table: Table = (name) => {
    const [own, shape] = [values.get(name), byName.get(name)?.shape ?? []];
    const width = shape.length === 2 ? (shape[1] ?? 1) : (own?.length ?? 1);
    return Array.from({ length: (own?.length ?? 0) / width }, (_, r) => [
      ...(own ?? []).slice(r * width, (r + 1) * width),
    ]);
  };
  const { tokens } = randomBatch(model, 1, TOKENS);
  const trainable = new Set(model.tasks.flatMap((task) => task.trains));
  const graph = buildForward(sourceOf(model, trainable), { batch: 1, tokens: TOKENS }).graph();
  const ran = interpret(
    graph,
    givenFor(model, graph, packAll(model, values), inputsOf(model, graph, { tokens })),
  );
  const actual = ran.get(graph.outputs[0]?.tensor ?? -1) ?? new Float64Array();
  const width = ceil4(model.base.vocab);
  logitsOf(model.base, table, [...tokens], has).forEach((row, r) =>
    row.forEach((x, i) =>
      assert.ok(
        Math.abs(x - (actual[r * width + i] ?? NaN)) < 1e-11 * (1 + Math.abs(x)),
        `word ${r}, token ${i}: ${actual[r * width + i]}, by the formulas ${x}`,
      ),
    ),
  );
}

const half = (base: Base): Base => ({ ...base, rope: { style: 'half', theta: 500 }, normEps: 1e-3 });
const cases: Readonly<Record<string, readonly [string, Additions]>> = {
  'the base': ['bias b on output', {}],
  'prompts behind gates': ['prompt w on layers[last 1] { length = 3 }\nbias b on output', { prompt: 1 }],
  'a prefix': ['prefix f on layers[all] { length = 2 }\nbias b on output', { prefix: 2 }],
  'version 2': [
    'prompt w on layers[last 1] { length = 3 }\nbias b on every linear in layers\nscale s on every linear in layers',
    { prompt: 1, vectors: true },
  ],
};

for (const [name, [items, has]] of Object.entries(cases))
  for (const base of [tiny, odd, half(tiny), { ...half(odd), tied: false }])
    t(`${name}: ${base.name}, ${base.rope.style}`, () => {
      // The head's bias is there to be trained; it starts at nothing in the formulas.
      const model = modelOf(`${items}\ntask train on some trains b`, base);
      const plain: Model = has.vectors
        ? model
        : { ...model, parts: model.parts.filter((part) => part.name !== 'b'), tasks: [] };
      check(plain, has);
    });

/** The model with norms of queries and keys in its layers, of each head by itself or over all heads. */
function withHeadNorms(model: Model, over: 'head' | 'heads'): Model {
  const { base } = model;
  const added = model.sites.flatMap((s): Site[] => {
    const role = s.role === 'query' ? 'queryNorm' : s.role === 'key' ? 'keyNorm' : null;
    if (role === null) return [];
    const name = `${s.name.slice(0, -2)}${role === 'queryNorm' ? 'q_norm' : 'k_norm'}`;
    const axis = over === 'head' ? { groups: 1, size: base.headDim } : s.output;
    return [
      { ...s, name, role, kind: 'norm', input: axis, output: axis, parameter: `${name}.weight`, reads: null },
    ];
  });
  const like = model.parameters.find(({ name }) => name === 'norm.weight');
  const parameters = added.map(({ parameter: name, output }) => ({
    ...like!,
    name,
    shape: [output.groups * output.size],
    axes: [output],
  }));
  return { ...model, sites: [...model.sites, ...added], parameters: [...parameters, ...model.parameters] };
}

for (const over of ['head', 'heads'] as const)
  for (const base of [tiny, odd, half(tiny), half(odd)])
    for (const rawKeys of [false, true])
      t(
        `norms of queries and keys over ${over}, ${rawKeys ? 'not ' : ''}of a prompt: ${base.name}, ${base.rope.style}`,
        () => {
          const prompt = `prompt w on layers[last 1] { length = 3  key_norm = ${!rawKeys} }`;
          const model = modelOf(`${prompt}\ntask train on some trains w`, base);
          check(withHeadNorms(model, over), { prompt: 1, rawKeys });
        },
      );

for (const base of [tiny, half(odd)])
  t(`the family qwen3: ${base.name}, ${base.rope.style}`, () => {
    const items = 'prompt w on layers[last 1] { length = 3 }\ntask train on some trains w';
    const model = modelOf(items, { ...base, family: 'qwen3', dim: 20 });
    assert.ok(model.parameters.some(({ name }) => name === 'layers.0.attention.q_norm.weight'));
    check(model, { prompt: 1 });
  });

t.run();
