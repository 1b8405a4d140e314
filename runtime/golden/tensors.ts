/** Whether a case and its spec speak of the same tensors: said before anything runs, with the tensor's name. */
import type { Model, Parameter } from '../../compiler/model/model.ts';
import { InputError } from '../input-error.ts';
import { elements, type ForeignTensor, showShape } from '../weights/source.ts';
import type { GoldenConfig, Tensors } from './case.ts';

type Keys = ReadonlyMap<string, ForeignTensor>;

/**
 * @throws InputError that lists tensors of the weights that are missing, of another shape or that no parameter reads, and
 * what config.json trains or lets decay although the spec does not
 */
export function requireTensors(model: Model, keys: Keys, weights: Tensors, config: GoldenConfig): void {
  const problems = [
    ...misshapen(model, keys, weights),
    ...missing(model, keys, weights),
    ...unread(keys, weights, config),
    ...otherwiseTrained(model, keys, config),
  ];
  if (problems.length === 0) return;
  const shown = problems.slice(0, 6).map((problem) => `\n  ${problem}`);
  if (problems.length > 6) shown.push(`\n  and ${problems.length - 6} more`);
  throw new InputError(
    `the case and the spec that expresses it differ:${shown.join('')}`,
    "compare config.json with the tensors' shapes: every size of the spec comes from there",
  );
}

/** The shape a parameter's tensor has in the case: a table of prompts and a fused q, k, v hold more rows. */
function misshapen({ parameters }: Model, keys: Keys, weights: Tensors): string[] {
  return parameters.flatMap(({ name, shape }) => {
    const key = keys.get(name);
    const found = key && weights.get(key.name)?.shape;
    if (!key || !found) return [];
    const [rows = 1, ...rest] = found;
    const fits = key.rows
      ? rows >= key.rows[1] && elements(rest) === elements(shape.slice(1))
      : elements(found) === elements(shape) && found[0] === (shape[0] ?? found[0]);
    return fits
      ? []
      : [`\`${key.name}\` is ${showShape(found)}, the spec's \`${name}\` is ${showShape(shape)}`];
  });
}

/**
 * Parameters without a tensor. Those of a part that changes nothing as it starts may be left out all together: the
 * official code has no biases in its first stage, and no second factor on its gates before version 2.1.
 */
function missing(model: Model, keys: Keys, weights: Tensors): string[] {
  const isThere = (p: Parameter): boolean => weights.has(keys.get(p.name)?.name ?? '');
  /** What is in the layers itself, a prompt's tokens and its gates, is there or not by its role. */
  const inLayers = ({ placement }: Parameter): boolean =>
    placement?.site === null && placement.layer !== null;
  const setOf = (p: Parameter): string => (inLayers(p) ? `${p.owner} ${p.placement?.role}` : p.owner);
  const begun = new Set(model.parameters.filter(isThere).map(setOf));
  const mayLack = (p: Parameter): boolean => {
    const neutral = inLayers(p) ? p.init.kind === 'constant' : (p.placement?.site ?? null) !== null;
    return neutral && !begun.has(setOf(p));
  };
  return model.parameters
    .filter((p) => !isThere(p) && !mayLack(p))
    .map((p) => `\`${keys.get(p.name)?.name ?? p.name}\` ${showShape(p.shape)} is not in the weights`);
}

/** Gates of layers without a prompt are in the official files, and in no layer's arithmetic. */
const isIdleGate = (name: string): boolean => /\.attention\.(gate|new_gate)$/.test(name);
/** What looks at pictures; a case without them may carry it all the same. */
const isVisual = (name: string): boolean => /^(clip|visual)[._]/.test(name);

function unread(keys: Keys, weights: Tensors, config: GoldenConfig): string[] {
  const read = new Set([...keys.values()].map(({ name }) => name));
  return [...weights.keys()]
    .filter((name) => !read.has(name) && !isIdleGate(name) && !(config.no_image && isVisual(name)))
    .map((name) => `\`${name}\` is in the weights, and nothing of the spec reads it`);
}

function otherwiseTrained({ parameters }: Model, keys: Keys, config: GoldenConfig): string[] {
  const ours = new Map(parameters.map((p) => [keys.get(p.name)?.name, p]));
  const idle = new Set(config.trainable_without_grad);
  const trained = [...(config.trainable ?? []), ...Object.values(config.groups ?? {}).flat()].filter(
    (name) => !idle.has(name),
  );
  const kept = config.no_decay && new Set(config.no_decay);
  return trained.flatMap((name) => {
    const parameter = ours.get(name);
    if (!parameter) return [`\`${name}\` is trained in the case, and the spec has no such parameter`];
    if (!kept || parameter.decay !== kept.has(name)) return [];
    const [theirs, here] = kept.has(name)
      ? ['spares it weight decay', 'decays']
      : ['lets it decay', 'does not'];
    return [`\`${name}\`: config.json ${theirs}, the spec's \`${parameter.name}\` ${here}`];
  });
}
