/** What the graph builders of one program share: the model, the parts by site, and how prompts are obtained. */
import { invariant } from '../../grammar/invariant.ts';
import { Builder } from '../graph/builder.ts';
import type { Tensor } from '../graph/graph.ts';
import type { Model, Part, Site } from '../model/model.ts';
import type { HooksOf } from './hooks.ts';

/** `full` looks at the words it is given; `prefill` also fills the caches; `decode` reads them. */
export type Mode = 'full' | 'prefill' | 'decode';

export interface Shape {
  readonly name: string;
  readonly mode: Mode;
  readonly batch: number;
  /** Words of each sequence in this program; 1 when decoding. */
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
  readonly sites: ReadonlyMap<string, Site>;
  /** Tokens of encoders and projectors that were built. */
  readonly visual: Map<string, Tensor>;
  /** Tensors worth looking at: called with the names that the golden cases use. */
  readonly tap: (name: string, tensor: Tensor) => void;
}

export function makeContext(source: Source, shape: Shape): Context {
  const { model, trainable, hooksOf, taps = false } = source;
  const table = new Map(
    model.parameters.map((p) => [p.name, { axes: p.axes, trainable: trainable.has(p.name) }]),
  );
  const g = new Builder(shape.name, shape.batch, shape.tokens, table);
  g.taps = taps;
  const sites = new Map(model.sites.map((site) => [site.name, site]));
  const tap = (name: string, tensor: Tensor) => g.tap(name, tensor);
  return { g, source, model, hooksOf, shape, sites, visual: new Map(), tap };
}

export function siteNamed(c: Context, name: string): Site {
  const site = c.sites.get(name);
  invariant(site, `no site ${name}`);
  return site;
}

const partsAt = (c: Context, site: Site): Part[] =>
  c.model.parts.filter((part) => part.sites.some((s) => s.name === site.name));

/** Runs what parts do to the output of a site, in the order they were written. */
export function after(c: Context, site: Site, x: Tensor, y: Tensor, parts = partsAt(c, site)): Tensor {
  return parts.reduce((value, part) => {
    c.g.label = `${site.name} ${part.name}`;
    return c.hooksOf(part).after?.(c.g, part, site, x, value) ?? value;
  }, y);
}

/** A linear of the base with the parts on it; `prompts` leaves out the parts that do not apply to prompts. */
export function linear(c: Context, name: string, x: Tensor, prompts = false): Tensor {
  const site = siteNamed(c, name);
  const parts = partsAt(c, site).filter((part) => !prompts || (c.hooksOf(part).onPrompts?.(part) ?? true));
  const entering = parts.reduce((value, part) => {
    c.g.label = `${name} ${part.name}`;
    return c.hooksOf(part).before?.(c.g, part, site, value) ?? value;
  }, x);
  if (name.endsWith('attention.wo')) c.tap(`attn_pre_wo.${site.layer}`, entering);
  c.g.label = name;
  const product = c.g.linear(entering, c.g.parameter(site.parameter), site.output);
  const y = site.bias === undefined ? product : c.g.addBias(product, c.g.parameter(site.bias));
  return after(c, site, entering, y, parts);
}

export function norm(c: Context, name: string, x: Tensor): Tensor {
  const site = siteNamed(c, name);
  c.g.label = name;
  return after(c, site, x, c.g.rmsnorm(x, c.g.parameter(site.parameter), c.model.base.normEps));
}

/** Vectors in front of the words, all parts together. */
export const prependedLength = ({ model, hooksOf }: Source, image: boolean): number =>
  model.parts.reduce((total, part) => total + (hooksOf(part).prepends?.(part, image) ?? 0), 0);

/** How far the words' positions move (prefix tuning). */
export const positionShift = ({ model, hooksOf }: Source): number =>
  model.parts.reduce((total, part) => total + (hooksOf(part).shift?.(part) ?? 0), 0);
