/**
 * Folding trained parts into the base: which adapters can be, what base comes of it, and the arithmetic of one site.
 *
 * Everything a part does to a linear is linear itself, or the kind says that it is not: `s (W x + b)` is
 * `(diag(s) W) x + s b`, `W (s x) + b` is `(W diag(s)) x + b`, LoRA is `(W + B A) x`. What is added after a norm
 * goes through the linears that read the norm: `W (n + v) + b` is `W n + (b + W v)`.
 */
import { invariant } from '../../grammar/invariant.ts';
import { addToInput, type Affine } from '../kinds/affine.ts';
import { familyOf } from '../families/index.ts';
import { namesOf } from '../families/words.ts';
import { kindOfPart } from '../kinds/index.ts';
import type { Merge } from '../kinds/kind.ts';
import { type Base, logical, type Model, type Part, type Role, type Site } from '../model/model.ts';

/** A part that cannot become weights, or not beside the others. */
export interface Obstacle {
  readonly part: string;
  readonly kind: string;
  readonly reason: string;
  /** Whether it never can; otherwise it is those beside it that are in the way. */
  readonly never: boolean;
}

/** Why a model cannot be merged, in the order of its parts; empty when it can. */
export function obstaclesOf(model: Model): Obstacle[] {
  return model.parts.flatMap((part) => {
    const { merge } = kindOfPart(part);
    const alone = merge.can ? withoutReader(model, part) : merge.reason;
    const reason = alone ?? besidePrompts(model, part);
    return reason === null ? [] : [{ part: part.name, kind: part.kind, reason, never: alone !== null }];
  });
}

/** A merged weight serves words and prompts alike, so a part that leaves prompts out would change their keys. */
function besidePrompts({ parts }: Model, part: Part): string | null {
  if (kindOfPart(part).hooks.onPrompts?.(part) ?? true) return null;
  const at = (layer: number | null) =>
    parts.find((other) => kindOfPart(other).hooks.projects && layer !== null && other.layers.includes(layer));
  const site = part.sites.find((s) => ofPrompts.includes(s.role) && at(s.layer));
  if (!site) return null;
  return `the keys and values of \`${at(site.layer)?.name}\` leave it out (\`on_prompts = false\`), and a merged \`${site.name}\` would not`;
}

/** Where a prompt's keys and values are made. */
const ofPrompts: readonly Role[] = ['key', 'value'];

/** What is added after a norm becomes a bias of the linears that read the norm; queries and keys are read by none. */
function withoutReader(model: Model, part: Part): string | null {
  if (changes(part) !== 'bias') return null;
  const read = new Set(model.sites.map(({ reads }) => reads));
  const site = part.sites.find(({ kind, name }) => kind === 'norm' && !read.has(name));
  return site
    ? `what it adds after \`${site.name}\` has no place in a base: no linear comes next that could have it as its bias`
    : null;
}

/** The base that a model becomes: the same sizes, with biases where parts add them. Without files. */
export function mergedBase(model: Model): Base {
  const { weights: _weights, tokenizer: _tokenizer, ...base } = model.base;
  const adds = new Set(model.sites.filter((site) => addsBias(model, site)).map(({ word }) => word));
  // Hugging Face switches some of them together, so they come together.
  const whole = familyOf(base)
    .biases.map(({ linears }) => linears)
    .filter((group) => group.some((linear) => adds.has(linear)))
    .flat();
  const biases = namesOf('linear').filter(
    (linear) => base.biases?.includes(linear) || whole.includes(linear),
  );
  const head = model.sites.find(({ role }) => role === 'head');
  // A head of its own, when what is folded into it must not reach the embedding.
  const tied = base.tied && !(head && partsAt(model, head).some((part) => changes(part) === 'weight'));
  return { ...base, name: `${base.name}_merged`, tied, ...(biases.length === 0 ? {} : { biases }) };
}

/** Whether folding changes what a site computes, apart from parameters of the base that were trained. */
export const isFolded = (model: Model, site: Site): boolean =>
  partsAt(model, site).length > 0 || addsBias(model, site);

/**
 * A linear or norm of the model with its parts in it, in float64; its own bias is left in place only on linears, where
 * a norm's has gone to the linears that read it.
 * @param values numbers of a parameter in file order; asked for those of `namesAt`
 */
export function foldSite(model: Model, site: Site, values: (name: string) => Float32Array): Affine {
  const it: Affine = {
    weight: Float64Array.from(values(site.parameter)),
    bias: site.bias ? Float64Array.from(values(site.bias)) : new Float64Array(logical(site.output)),
  };
  const folds = partsAt(model, site).map((part) => ({ part, merge: mergeOf(part) }));
  for (const { part, merge } of folds) merge.product?.(it, part, site, values);
  for (const { part, merge } of folds) merge.after?.(it, part, site, values);
  // What enters is changed by the first part first, so it is the last to be folded.
  for (const { part, merge } of folds.reverse()) merge.before?.(it, part, site, values);
  const norm = normBefore(model, site);
  if (norm && addsBias(model, norm)) addToInput(it, foldSite(model, norm, values).bias);
  return it;
}

/** The parameters that folding a site takes. */
export function namesAt(model: Model, site: Site): string[] {
  const norm = normBefore(model, site);
  return (norm ? [site, norm] : [site]).flatMap((at) => [
    at.parameter,
    ...(at.bias === undefined ? [] : [at.bias]),
    ...model.parameters.filter(({ placement }) => placement?.site?.name === at.name).map(({ name }) => name),
  ]);
}

/** Whether a bias has to be somewhere at this site that the base may have no place for. */
function addsBias(model: Model, site: Site): boolean {
  const norm = normBefore(model, site);
  return partsAt(model, site).some((part) => changes(part) === 'bias') || (!!norm && addsBias(model, norm));
}

/** The norm whose output a linear reads; none for norms, wo and w2. */
const normBefore = ({ sites }: Model, site: Site): Site | undefined =>
  site.reads === null ? undefined : sites.find(({ name }) => name === site.reads);

const partsAt = ({ parts }: Model, site: Site): Part[] =>
  parts.filter((part) => part.sites.some(({ name }) => name === site.name));

const changes = (part: Part): string => mergeOf(part).changes;

function mergeOf(part: Part): Merge & { readonly can: true } {
  const { merge } = kindOfPart(part);
  invariant(merge.can, `${part.name} cannot be merged`);
  return merge;
}
