/**
 * The base as a list of places: every linear, norm and embedding, named and ordered as Meta's checkpoints have them.
 *
 * Selectors match against these names, parts sit on them, and the weight readers fill `NAME.weight`.
 */
import {
  axis,
  logical,
  type Axis,
  type Base,
  type Init,
  type Parameter,
  type Site,
  type SiteKind,
} from './model.ts';

/** Linears of one layer, in checkpoint order, by their short names. */
export const attentionLinears = ['wq', 'wk', 'wv', 'wo'] as const;
export const feedForwardLinears = ['w1', 'w2', 'w3'] as const;

/** A base's places and parameters are asked for by each adapter on it, and at each stroke of a key in an editor. */
const knownSites = new WeakMap<Base, readonly Site[]>();
const knownParameters = new WeakMap<Base, readonly Parameter[]>();

/** What `make` gives, made once for each base. */
function once<T>(known: WeakMap<Base, T>, base: Base, make: (base: Base) => T): T {
  const before = known.get(base);
  if (before !== undefined) return before;
  const made = make(base);
  known.set(base, made);
  return made;
}

/** The short name of a site: `wq` of `layers.3.attention.wq`. */
export const shortName = (site: Pick<Site, 'name'>): string =>
  site.name.slice(site.name.lastIndexOf('.') + 1);

/** Every place of a base, in checkpoint order. A tied base still has `output`: it owns the embedding's table. */
export const sitesOf = (base: Base): readonly Site[] => once(knownSites, base, listSites);

function listSites(base: Base): Site[] {
  const dim = axis(base.dim);
  const vocab = axis(base.vocab);
  const sites: Site[] = [site('tok_embeddings', 'embedding', null, vocab, dim)];
  for (let layer = 0; layer < base.layers; layer++) sites.push(...layerSites(base, layer));
  sites.push(site('norm', 'norm', null, dim, dim));
  const output = site('output', 'linear', null, dim, vocab);
  sites.push(base.tied ? { ...output, parameter: 'tok_embeddings.weight' } : output);
  const biased = new Set<string>(base.biases);
  return biased.size === 0
    ? sites
    : sites.map((s) => (biased.has(shortName(s)) ? { ...s, bias: `${s.name}.bias` } : s));
}

function layerSites(base: Base, layer: number): Site[] {
  const dim = axis(base.dim);
  const ffn = axis(base.ffn);
  const query = axis(base.headDim, base.heads);
  const keyValue = axis(base.headDim, base.kvHeads);
  const at = (name: string, kind: SiteKind, input: Axis, output: Axis): Site =>
    site(`layers.${layer}.${name}`, kind, layer, input, output);
  return [
    at('attention.wq', 'linear', dim, query),
    at('attention.wk', 'linear', dim, keyValue),
    at('attention.wv', 'linear', dim, keyValue),
    at('attention.wo', 'linear', query, dim),
    at('feed_forward.w1', 'linear', dim, ffn),
    at('feed_forward.w2', 'linear', ffn, dim),
    at('feed_forward.w3', 'linear', dim, ffn),
    at('attention_norm', 'norm', dim, dim),
    at('ffn_norm', 'norm', dim, dim),
  ];
}

function site(name: string, kind: SiteKind, layer: number | null, input: Axis, output: Axis): Site {
  return { name, kind, layer, input, output, parameter: `${name}.weight` };
}

/** The base's own parameters, frozen unless a part unfreezes them. A tied output head is not listed twice. */
export const baseParameters = (base: Base): readonly Parameter[] =>
  once(knownParameters, base, (b) =>
    sitesOf(b).flatMap((s) => [
      ...(s.parameter === `${s.name}.weight` ? [baseParameter(s)] : []),
      ...(s.bias === undefined ? [] : [baseBias(s, s.bias)]),
    ]),
  );

const baseBias = (s: Site, name: string): Parameter => ({
  name,
  shape: [logical(s.output)],
  axes: [s.output],
  init: { kind: 'weights' },
  owner: 'base',
  decay: false,
  rate: 1,
});

function baseParameter(s: Site): Parameter {
  const init: Init = { kind: 'weights' };
  const common = { name: s.parameter, init, owner: 'base', rate: 1 };
  switch (s.kind) {
    case 'norm':
      return { ...common, shape: [logical(s.output)], axes: [s.output], decay: false };
    case 'embedding':
      // A row of the table is a token, so rows are what enters and columns what leaves.
      return {
        ...common,
        shape: [logical(s.input), logical(s.output)],
        axes: [s.input, s.output],
        decay: true,
      };
    case 'linear':
      return {
        ...common,
        shape: [logical(s.output), logical(s.input)],
        axes: [s.output, s.input],
        decay: true,
      };
  }
}

/** Standard deviation of a fresh base's matrices, unless the base says its own. */
export const FRESH_STD = 0.02;

/** How a base parameter starts when the base is trained from scratch instead of being read from a file. */
export function scratchInit(base: Base, name: string): Init {
  if (name.endsWith('norm.weight')) return { kind: 'constant', value: 1 };
  if (name.endsWith('.bias')) return { kind: 'constant', value: 0 };
  const residual = name.endsWith('attention.wo.weight') || name.endsWith('feed_forward.w2.weight');
  const std = base.init ?? FRESH_STD;
  // What writes into the residual stream shrinks with depth.
  return { kind: 'normal', mean: 0, std: residual ? std / Math.sqrt(2 * base.layers) : std };
}
