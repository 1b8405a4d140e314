/** What the graph builders of one program share: the model, the parts by site, and how prompts are obtained. */
import { invariant } from '../../grammar/invariant.ts';
import { Builder } from '../graph/builder.ts';
import type { Tensor } from '../graph/graph.ts';
import { type Model, padded, type Part, type Role, type Site } from '../model/model.ts';
import type { Purpose } from '../package/package.ts';
import { storageIn } from '../storage/index.ts';
import type { HooksOf } from './hooks.ts';

/** `full` looks at the words it is given; `prefill` also fills the caches; `decode` reads them. */
export type Mode = 'full' | 'prefill' | 'decode';

export interface Shape {
  readonly purpose: Purpose;
  readonly mode: Mode;
  readonly batch: number;
  /** Words of each sequence in this program; 1 when decoding word by word. */
  readonly tokens: number;
  /** Rows of a cache, prepended vectors included. */
  readonly context: number;
  /** Keys a decoding step looks at, at most `context`. */
  readonly keys: number;
  /** Whether every sequence comes with an image. */
  readonly image: boolean;
  /** Encoders whose tokens the host gives, since it computed them once (`encode:PART`). */
  readonly cached?: ReadonlySet<string>;
}

/** What every program of a package is built from. */
export interface Source {
  readonly model: Model;
  /** Names of the parameters that some task trains. */
  readonly trainable: ReadonlySet<string>;
  readonly hooksOf: HooksOf;
  /** Keep every layer's hidden state readable. */
  readonly taps?: boolean;
}

export interface Context {
  readonly g: Builder;
  readonly source: Source;
  readonly model: Model;
  readonly hooksOf: HooksOf;
  readonly shape: Shape;
  /** By layer and role, see `siteOf`. */
  readonly sites: ReadonlyMap<string, Site>;
  /** By a site's name, in the order they were written; a site without parts is not in it. */
  readonly parts: ReadonlyMap<string, readonly Part[]>;
  /** Tokens of encoders and projectors that were built. */
  readonly visual: Map<string, Tensor>;
  /** Tensors worth looking at: called with the names that the golden cases use. */
  readonly tap: (name: string, tensor: Tensor) => void;
}

export function makeContext(source: Source, shape: Shape): Context {
  const { model, trainable, hooksOf, taps = false } = source;
  const storageOf = storageIn(model);
  const table = new Map(
    model.parameters.map((p) => [
      p.name,
      { axes: p.axes, trainable: trainable.has(p.name), storage: storageOf(p) },
    ]),
  );
  const g = new Builder(shape.purpose, shape.batch, shape.tokens, table);
  g.taps = taps;
  const sites = new Map(model.sites.map((site) => [siteKey(site.layer, site.role), site]));
  const tap = (name: string, tensor: Tensor) => g.tap(name, tensor);
  const parts = partsBySite(model);
  return { g, source, model, hooksOf, shape, sites, parts, visual: new Map(), tap };
}

const siteKey = (layer: number | null, role: Role): string => `${layer ?? ''} ${role}`;

/** The place of that role in a layer (null: outside of the layers); null where the family has none. */
export const siteIf = (c: Context, layer: number | null, role: Role): Site | null =>
  c.sites.get(siteKey(layer, role)) ?? null;

/** The place of a role that every family has. */
export function siteOf(c: Context, layer: number | null, role: Role): Site {
  const site = siteIf(c, layer, role);
  invariant(site, `no ${role} in layer ${layer}`);
  return site;
}

/** What is built from here on, `part` asked for. */
export const atPart = (c: Context, site: string, layer: number | null, part: Part): void =>
  c.g.at(site, { part: part.name, layer, span: part.span });

function partsBySite({ parts }: Model): Map<string, Part[]> {
  const bySite = new Map<string, Part[]>();
  for (const part of parts)
    for (const { name } of part.sites) {
      const here = bySite.get(name);
      if (here === undefined) bySite.set(name, [part]);
      else if (here.at(-1) !== part) here.push(part);
    }
  return bySite;
}

const partsAt = (c: Context, site: Site): readonly Part[] => c.parts.get(site.name) ?? [];

/** Runs what parts do to the output of a site, in the order they were written. */
export function after(c: Context, site: Site, x: Tensor, y: Tensor, parts = partsAt(c, site)): Tensor {
  return parts.reduce((value, part) => {
    atPart(c, site.name, site.layer, part);
    return c.hooksOf(part).after?.(c.g, part, site, x, value) ?? value;
  }, y);
}

/** The parts at a place; on a prompt's vectors, without those that do not apply to prompts. */
const partsFor = (c: Context, site: Site, prompt: Part | null): readonly Part[] =>
  partsAt(c, site).filter((part) => prompt === null || (c.hooksOf(part).onPrompts?.(part) ?? true));

/** The base's own computation at a place, which the words or a prompt's vectors go through. */
const atSite = (c: Context, site: Site, prompt: Part | null): void =>
  prompt ? atPart(c, site.name, site.layer, prompt) : c.g.at(site.name, { layer: site.layer });

/**
 * A linear of the base with the parts on it.
 * @param prompt the prompt whose vectors go through it; null: the words
 */
export function linear(c: Context, site: Site, x: Tensor, prompt: Part | null = null): Tensor {
  const parts = partsFor(c, site, prompt);
  const entering = parts.reduce((value, part) => {
    atPart(c, site.name, site.layer, part);
    return c.hooksOf(part).before?.(c.g, part, site, value) ?? value;
  }, x);
  if (site.role === 'attentionOutput') c.tap(`attn_pre_wo.${site.layer}`, entering);
  atSite(c, site, prompt);
  const plain = c.g.linear(entering, c.g.parameter(site.parameter), site.output);
  const product = parts.reduce((value, part) => {
    const hook = c.hooksOf(part).product;
    if (!hook) return value;
    atPart(c, site.name, site.layer, part);
    return hook(c.g, part, site, entering, value);
  }, plain);
  atSite(c, site, prompt);
  const y = site.bias === undefined ? product : c.g.addBias(product, c.g.parameter(site.bias));
  return after(c, site, entering, y, parts);
}

/** A norm of the base with the parts on it; `prompt` as for `linear`. */
export function norm(c: Context, site: Site, x: Tensor, prompt: Part | null = null): Tensor {
  atSite(c, site, prompt);
  // To a norm of each head, heads are rows.
  const heads = padded(x.axis) / padded(site.input);
  const rows = heads === 1 ? x : c.g.reshape(x, x.rows * heads, site.input);
  const y = c.g.rmsnorm(rows, c.g.parameter(site.parameter), c.model.base.normEps);
  const normed = after(c, site, rows, y, partsFor(c, site, prompt));
  atSite(c, site, prompt);
  return heads === 1 ? normed : c.g.reshape(normed, x.rows, x.axis);
}

/** Vectors in front of the words, all parts together. */
export const prependedLength = ({ model, hooksOf }: Source, image: boolean): number =>
  model.parts.reduce((total, part) => total + (hooksOf(part).prepends?.(part, image) ?? 0), 0);

/** How far the words' positions move (prefix tuning). */
export const positionShift = ({ model, hooksOf }: Source): number =>
  model.parts.reduce((total, part) => total + (hooksOf(part).shift?.(part) ?? 0), 0);
