/**
 * The forward pass of a base with its parts, for training, whole sequences, prefilling and decoding. One decoder for all
 * families: it goes from role to role, and a base without a place of some role does without that step.
 */
import { type Axis, axis, type Part, type Role } from '../model/model.ts';
import { attend, type PartSource, type Words } from './attention.ts';
import {
  type Context,
  after,
  atPart,
  linear,
  norm,
  positionShift,
  prependedLength,
  siteIf,
  siteOf,
} from './context.ts';
import { familyOf } from '../families/index.ts';
import { rotaryOf, tableName, windowRotaryOf } from '../families/rotary.ts';
import type { Tensor } from '../graph/graph.ts';
import type { Project } from './hooks.ts';
import { tokensOf, visualOf } from './visual.ts';

/** Hidden states after the final norm: [batch x (prepended + tokens), dim], or only the rows that `picked` lists. */
export function buildHidden(c: Context, picked?: Tensor): Tensor {
  const { g, model, shape } = c;
  g.prepended = prependedLength(c.source, shape.image);
  const front = shape.mode === 'decode' ? 0 : g.prepended;
  const positions = g.tensor('positions', 1, axis(shape.batch * (front + shape.tokens)), 'inputs', 'u32');
  let x = embedWords(c);
  for (let layer = 0; layer < model.base.layers; layer++) {
    const at = (role: Role) => siteOf(c, layer, role);
    const normed = (role: Role, y: Tensor) => {
      const site = siteIf(c, layer, role);
      return site === null ? y : norm(c, site, y);
    };
    const o = attention(c, layer, normed('attentionNorm', x), positions);
    x = g.add(normed('attentionOutputNorm', linear(c, at('attentionOutput'), o)), x);
    const n = normed('ffnNorm', x);
    const u = linear(c, at('gate'), n);
    const v = linear(c, at('up'), n);
    g.at(`layers.${layer}.feed_forward`, { layer });
    const { activation } = familyOf(model.base);
    const inner = activation === 'silu' ? g.siluMul(u, v) : g.mul(g.activate(u, { function: activation }), v);
    x = g.add(normed('ffnOutputNorm', linear(c, at('down'), inner)), x);
    c.tap(`hidden.${layer}`, x);
  }
  g.at('picked');
  const hidden = norm(c, siteOf(c, null, 'finalNorm'), picked ? g.embed(x, picked) : x);
  c.tap('final_norm', hidden);
  return hidden;
}

/** The output head on some hidden states: [rows, vocab]. */
export function buildLogits(c: Context, hidden: Tensor): Tensor {
  const logits = linear(c, siteOf(c, null, 'head'), hidden);
  const { logitCap } = c.model.base;
  if (logitCap === undefined) return logits;
  c.g.at('logit_cap');
  return c.g.softCap(logits, { cap: logitCap });
}

function embedWords(c: Context): Tensor {
  const { g, model, shape } = c;
  const site = siteOf(c, null, 'embedding');
  const ids = g.tensor('tokens', 1, axis(shape.batch * shape.tokens), 'inputs', 'u32');
  g.at(site.name);
  const embedded = g.embed(g.parameter(site.parameter), ids);
  let x = scaled(c, after(c, site, embedded, embedded));
  c.tap('embed', x);
  if (shape.mode === 'decode') return x;
  let tokens = shape.tokens;
  for (const part of [...model.parts].reverse()) {
    const visual = part.input && part.source !== null && shape.image ? tokensOf(c, part.source) : null;
    atPart(c, 'input', null, part);
    const made = c.hooksOf(part).prepend?.(g, part, visual);
    if (!made) continue;
    const sizes = { batch: shape.batch, length: made.length, tokens };
    x = made.batched ? g.join(made.vectors, x, sizes) : g.prepend(made.vectors, x, sizes);
    tokens += made.length;
  }
  return x;
}

/** The words' embeddings as the layers get them: a family may multiply them, after what parts do to the table's rows. */
function scaled({ g, model: { base } }: Context, x: Tensor): Tensor {
  if (familyOf(base).embeddingFactor === undefined) return x;
  g.at('embedding_factor');
  return g.gateMul(x, null, { function: 'raw', per: 'layer', constant: Math.sqrt(base.dim) });
}

function attention(c: Context, layer: number, x: Tensor, positions: Tensor): Tensor {
  const { g, model } = c;
  const rope = { style: model.base.rope.style, inverse: false, shift: positionShift(c.source) };
  const rotates = model.base.unrotated?.includes(layer) !== true;
  const rotated = (role: Role, y: Tensor) => {
    if (!rotates) return y;
    const table = ropeTableOf(c, layer);
    g.at(siteOf(c, layer, role).name, { layer });
    return g.rope(y, positions, table, rope);
  };
  const queries = linear(c, siteOf(c, layer, 'query'), x);
  const queryNorm = siteIf(c, layer, 'queryNorm');
  const q = rotated('query', queryNorm ? norm(c, queryNorm, queries) : queries);
  const key = rotated('key', keysOf(c, layer, x, null));
  const words = wordsOf(c, layer, key, valuesOf(c, layer, x, null), positions);
  return attend(c, layer, q, words, sourcesOf(c, layer), positions);
}

/** The words' keys and values: just computed, or those of the cache. */
function wordsOf(c: Context, layer: number, key: Tensor, value: Tensor, positions: Tensor): Words {
  const { g, shape } = c;
  const rows = key.rows / shape.batch;
  if (shape.mode === 'full') return { key, value, keys: rows, stride: rows };
  g.at(`layers.${layer}.attention.cache`, { layer });
  const write = (name: string, x: Tensor) => {
    const cache = cacheTensor(c, layer, name, x.axis);
    g.cacheWrite(x, positions, cache, { batch: shape.batch, tokens: rows, context: shape.context });
    return cache;
  };
  const cached = { key: write('key', key), value: write('value', value) };
  return shape.mode === 'prefill'
    ? { key, value, keys: rows, stride: rows }
    : { ...cached, keys: shape.keys, stride: shape.context };
}

const cacheTensor = (c: Context, layer: number, name: string, ax: Axis): Tensor =>
  c.g.tensor(`cache.layers.${layer}.${name}`, c.shape.batch * c.shape.context, ax, 'state');

/** Keys before the rotation, of the words or of a prompt's vectors; a prompt may leave out the base's norm of keys. */
function keysOf(c: Context, layer: number, x: Tensor, prompt: Part | null): Tensor {
  const keys = linear(c, siteOf(c, layer, 'key'), x, prompt);
  const site = siteIf(c, layer, 'keyNorm');
  const normed = site !== null && (prompt === null || (c.hooksOf(prompt).normsKeys?.(prompt) ?? true));
  return normed ? norm(c, site, keys, prompt) : keys;
}

/** Values of the words or of a prompt's vectors. */
const valuesOf = (c: Context, layer: number, x: Tensor, prompt: Part | null): Tensor =>
  linear(c, siteOf(c, layer, 'value'), x, prompt);

/** Makes the keys and values of a prompt's vectors in one layer. */
const projectorOf =
  (c: Context, layer: number, prompt: Part): Project =>
  (role, x) =>
    role === 'key' ? keysOf(c, layer, x, prompt) : valuesOf(c, layer, x, prompt);

/** Keys and values the parts add to a layer. With a cache they were computed once, by `buildPrompts`. */
function sourcesOf(c: Context, layer: number): PartSource[] {
  const stored =
    (part: Part): Project =>
    (role, x) =>
      c.g.tensor(stateName(c, part, layer, role), x.rows, siteOf(c, layer, role).output, 'state');
  const fresh = (part: Part): Project => projectorOf(c, layer, part);
  return sources(c, layer, c.shape.mode === 'full' ? fresh : stored);
}

function sources(c: Context, layer: number, project: (part: Part) => Project): PartSource[] {
  return c.model.parts.flatMap((part) => {
    const hook = c.hooksOf(part).attention;
    if (!hook || !part.layers.includes(layer)) return [];
    const visual = visualOf(c, part, layer);
    const here = () => atPart(c, `layers.${layer}.attention`, layer, part);
    here();
    const run = project(part);
    const projected: Project = (role, x) => {
      const y = run(role, x);
      here();
      return y;
    };
    const source = hook(c.g, part, layer, projected, visual);
    return source ? [{ ...source, part }] : [];
  });
}

/** Prompts with an image and without have different keys and values. */
const stateName = (c: Context, part: Part, layer: number, role: 'key' | 'value') =>
  `prompt.${part.name}${c.shape.image ? '.image' : ''}.layers.${layer}.${role}`;

/** Computes every prompt's keys and values into `state`: run once before generating. */
export function buildPrompts(c: Context): void {
  for (let layer = 0; layer < c.model.base.layers; layer++)
    sources(c, layer, (part) => (role, x) => {
      const y = projectorOf(c, layer, part)(role, x);
      return c.g.copy(y, 'state', stateName(c, part, layer, role));
    });
}

/**
 * The rotary table of a layer, the same for every program of a package; its values are made where the package is loaded.
 * Layers with a window may have a table of their own.
 */
function ropeTableOf(c: Context, layer: number): Tensor {
  const { base } = c.model;
  const { windowTheta } = base.rope;
  const local = windowTheta !== undefined && base.window?.layers.includes(layer) === true;
  // A program's table is that of the longest sequence it has room for, so that a cache holds keys of one table.
  const length = c.shape.context + positionShift(c.source);
  const name = local ? 'rope.window' : tableName(base.rope, length);
  const known = c.g.tensors.find((t) => t.constant?.kind === 'rope' && t.name === name);
  if (known) return known;
  const room = base.context + prependedLength(c.source, true) + positionShift(c.source);
  // A dynamic table is of one length, which may lie beyond the context that the model had at first.
  const positions = base.rope.scaling?.kind === 'dynamic' ? Math.max(room, length) : room;
  const rotary = local ? windowRotaryOf(base.rope.size ?? base.headDim, windowTheta) : rotaryOf(base, length);
  const constant = { kind: 'rope', positions, ...rotary } as const;
  return c.g.tensor(name, positions, axis(2 * rotary.frequencies.length), 'constants', 'f32', { constant });
}
