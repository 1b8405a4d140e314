/** Which layers an expression means: an ascending list of indices, every one of which exists. */
import {
  singleName,
  type Edge,
  type Expression,
  type NumberLiteral,
  type Path,
  type Range,
} from '../../grammar/ast.ts';
import { inParam, type BaseEnv } from './env.ts';
import { emptyRange, layersOutside, notARange, notLayers, tooManyLayers } from './diagnostics/layers.ts';
import { unknownName } from './diagnostics/params.ts';
import { evaluate } from './values.ts';

/** The layers, or null after reporting why there are none to speak of. `none` is an empty list. */
export function layersOf(env: BaseEnv, e: Expression): readonly number[] | null {
  switch (e.kind) {
    case 'number':
      return oneLayer(env, e);
    case 'range':
      return rangeOfLayers(env, e);
    case 'edge':
      return edgeOfLayers(env, e);
    case 'list': {
      const parts = e.items.map((item) => layersOf(env, item));
      return parts.some((p) => p === null) ? null : ascending(parts.flatMap((p) => p ?? []));
    }
    case 'binary': {
      const left = layersOf(env, e.left);
      const right = layersOf(env, e.right);
      if (left === null || right === null) return null;
      if (e.operator === '-' && e.left.kind === 'number' && e.right.kind === 'number') {
        env.report(notARange(e, e.left, e.right));
        return null;
      }
      if (e.operator === '+') return ascending([...left, ...right]);
      return left.filter((layer) => right.includes(layer) === (e.operator === '&'));
    }
    case 'path':
      return namedLayers(env, e);
    case 'missing':
      return null;
    case 'string':
    case 'call':
    case 'every':
      env.report(notLayers(e));
      return null;
  }
}

const ascending = (layers: readonly number[]): number[] => [...new Set(layers)].sort((a, b) => a - b);

const allLayers = (env: BaseEnv): number[] => Array.from({ length: env.base.layers }, (_, i) => i);

const isLayer = (env: BaseEnv, n: NumberLiteral): boolean =>
  Number.isInteger(n.value) && n.value >= 0 && n.value < env.base.layers && n.unit === null;

function oneLayer(env: BaseEnv, e: NumberLiteral): readonly number[] | null {
  if (isLayer(env, e)) return [e.value];
  env.report(layersOutside(e.span, e, env.base));
  return null;
}

function rangeOfLayers(env: BaseEnv, e: Range): readonly number[] | null {
  const step = e.by?.value ?? 1;
  if (e.from.value > e.to.value || step < 1 || !Number.isInteger(step)) {
    env.report(emptyRange(e));
    return null;
  }
  const outside = [e.from, e.to].find((n) => !isLayer(env, n));
  if (outside !== undefined) {
    env.report(layersOutside(e.span, outside, env.base, e));
    return null;
  }
  return allLayers(env).filter(
    (layer) => layer >= e.from.value && layer <= e.to.value && (layer - e.from.value) % step === 0,
  );
}

function edgeOfLayers(env: BaseEnv, e: Edge): readonly number[] | null {
  const count = evaluate(env, e.count, { kind: 'number', integer: true, min: 0 });
  const within = e.within === null ? allLayers(env) : layersOf(env, e.within);
  if (typeof count !== 'number' || within === null) return null;
  if (count > within.length) {
    env.report(tooManyLayers(e, count, within.length, env.base));
    return null;
  }
  return e.end === 'first' ? within.slice(0, count) : within.slice(within.length - count);
}

/** `all`, `none`, `layers`, `layers[...]` or a param. */
function namedLayers(env: BaseEnv, e: Path): readonly number[] | null {
  const name = singleName(e);
  if (name !== null) {
    const param = env.scope.params.get(name.text);
    if (param !== undefined) return layersOf(inParam(env, name), param.value);
    if (name.text === 'all' || name.text === 'layers') return allLayers(env);
    if (name.text === 'none') return [];
    env.report(unknownName(name, ['all', 'none', 'layers', ...env.scope.params.keys()], 'layers'));
    return null;
  }
  const [segment] = e.segments;
  if (
    e.segments.length === 1 &&
    segment?.kind === 'name' &&
    segment.name.text === 'layers' &&
    segment.index !== null
  ) {
    return layersOf(env, segment.index);
  }
  env.report(notLayers(e));
  return null;
}
