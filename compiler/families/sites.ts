/**
 * A base as a list of places: every linear, norm and embedding that its family has, in each of its layers.
 *
 * Selectors match against the names, parts sit on the places, and the weight readers fill `NAME.weight`.
 */
import {
  axis,
  lastWord,
  logical,
  type Axis,
  type Base,
  type Init,
  type Parameter,
  rowOrderOf,
  type Site,
  type TensorSource,
} from '../model/model.ts';
import type { Place, Width } from './family.ts';
import { familyOf } from './index.ts';

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

/** Every place of a base, in checkpoint order. A tied base still has `output`: it owns the embedding's table. */
export const sitesOf = (base: Base): readonly Site[] => once(knownSites, base, listSites);

function listSites(base: Base): Site[] {
  const { before, layer: inLayer, after } = familyOf(base);
  const sites = before.map((place) => siteAt(base, place, null));
  for (let layer = 0; layer < base.layers; layer++)
    sites.push(...inLayer.map((place) => siteAt(base, place, layer)));
  sites.push(...after.map((place) => siteAt(base, place, null)));
  return sites;
}

function siteAt(base: Base, place: Place, layer: number | null): Site {
  const prefix = layer === null ? '' : `layers.${layer}.`;
  const { role, kind, letter = null, reads } = place;
  const name = prefix + place.name;
  const tied = base.tied && role === 'head';
  const word = lastWord(place.name);
  const biased = base.biases?.includes(word) ?? false;
  const { normOffset } = familyOf(base);
  return {
    name,
    place: place.name,
    word,
    role,
    kind,
    layer,
    input: widthOf(base, place.input),
    output: widthOf(base, place.output),
    parameter: tied ? `${embeddingOf(base).name}.weight` : `${name}.weight`,
    ...(biased ? { bias: `${name}.bias` } : {}),
    huggingface: layer === null ? place.huggingface : `model.${prefix}${place.huggingface}`,
    ...(kind === 'norm' && normOffset !== undefined ? { offset: normOffset } : {}),
    letter,
    reads: reads === undefined ? null : prefix + reads,
  };
}

const embeddingOf = (base: Base): Place => familyOf(base).before.find(({ role }) => role === 'embedding')!;

function widthOf(base: Base, width: Width): Axis {
  switch (width) {
    case 'queries':
      return axis(base.headDim, base.heads);
    case 'keys':
      return axis(base.headDim, base.kvHeads);
    case 'head':
      return axis(base.headDim);
    default:
      return axis(base[width]);
  }
}

/** The base's own parameters, frozen unless a part unfreezes them. A tied output head is not listed twice. */
export const baseParameters = (base: Base): readonly Parameter[] =>
  once(knownParameters, base, (b) => {
    const rows = rowsOf(b);
    return sitesOf(b).flatMap((s) => [
      ...(s.parameter === `${s.name}.weight` ? [baseParameter(s, b, rows.get(s))] : []),
      ...(s.bias === undefined ? [] : [baseBias(s, s.bias, rows.get(s))]),
    ]);
  });

/** The rows of each site in Hugging Face's tensors, where several sites share one: in the order of the places. */
const rowsOf = (base: Base): ReadonlyMap<Site, TensorSource['rows']> => {
  const groups = new Map<string, Site[]>();
  for (const site of sitesOf(base)) {
    const { huggingface } = site;
    groups.set(huggingface, [...(groups.get(huggingface) ?? []), site]);
  }
  return new Map(
    [...groups.values()].flatMap((sites) => {
      const of = sites.reduce((sum, { output }) => sum + logical(output), 0);
      let from = 0;
      return sites.length === 1
        ? []
        : sites.map((site) => [site, { from, to: (from += logical(site.output)), of }] as const);
    }),
  );
};

const sourceOf = (
  s: Site,
  what: 'weight' | 'bias',
  more: Pick<TensorSource, 'rows' | 'offset'> = {},
): TensorSource => ({
  ...more,
  names: { meta: `${s.name}.${what}`, huggingface: `${s.huggingface}.${what}` },
  rowOrder: rowOrderOf(s),
});

const baseBias = (s: Site, name: string, rows: TensorSource['rows']): Parameter => ({
  name,
  shape: [logical(s.output)],
  axes: [s.output],
  init: { kind: 'weights' },
  source: sourceOf(s, 'bias', rows ? { rows } : {}),
  owner: 'base',
  decay: false,
  rate: 1,
});

function baseParameter(s: Site, base: Base, rows: TensorSource['rows']): Parameter {
  const init: Init = { kind: 'weights' };
  const source = sourceOf(s, 'weight', {
    ...(rows ? { rows } : {}),
    ...(s.offset === undefined ? {} : { offset: s.offset }),
  });
  const common = { name: s.parameter, init, source, owner: 'base', rate: 1 };
  switch (s.kind) {
    case 'norm':
      return { ...common, shape: [logical(s.output)], axes: [s.output], decay: false };
    case 'embedding':
      // A row of the table is a token, so rows are what enters and columns what leaves.
      return {
        ...common,
        source: { ...common.source, ...twinOf(base) },
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

/** The head of a tied base, which some files hold although it is the embedding. */
function twinOf(base: Base): Pick<TensorSource, 'twin'> {
  const head = base.tied ? sitesOf(base).find(({ role }) => role === 'head') : undefined;
  return head === undefined ? {} : { twin: sourceOf(head, 'weight').names };
}

/** Standard deviation of a fresh base's matrices, unless the base says its own. */
export const FRESH_STD = 0.02;

/** How a base parameter starts when the base is trained from scratch instead of being read from a file. */
export function scratchInit(base: Base, name: string): Init {
  const site = sitesOf(base).find(({ parameter, bias }) => parameter === name || bias === name);
  if (site?.bias === name) return { kind: 'constant', value: 0 };
  if (site?.kind === 'norm') return { kind: 'constant', value: 1 };
  const residual = site?.role === 'attentionOutput' || site?.role === 'down';
  const std = base.init ?? FRESH_STD;
  // What writes into the residual stream shrinks with depth.
  return { kind: 'normal', mean: 0, std: residual ? std / Math.sqrt(2 * base.layers) : std };
}
