/** What the tests of the kernels share: the profiles to force, and nodes with their data. */
import { Builder } from '../../compiler/graph/builder.ts';
import { extent } from '../../compiler/graph/tape.ts';
import type { Graph, Home, Node, OpName, Ops, Tensor } from '../../compiler/graph/graph.ts';
import { type Axis, axis, ceil4, type Storage } from '../../compiler/model/model.ts';
import type { Profile } from '../../compiler/package/package.ts';
import { emit } from '../../compiler/wgsl/emit.ts';
import type { Device } from '../../runtime/device/device.ts';
import { asStored, type Closeness, type Slots, checkNode, randomValues, referenceOf } from './harness.ts';

/** Every family of kernels this device can run, its own first. */
export function profilesOf(device: Device): Profile[] {
  const families: Profile[] = [
    { device: 'software', subgroup: null },
    { device: 'gpu', subgroup: null },
  ];
  const { subgroupMinSize: least, subgroupMaxSize: most } = device.adapter;
  if (device.features.has('subgroups') && least === most && least > 1)
    families.unshift({ device: 'software', subgroup: least });
  return families;
}

/** A node that stands alone, with the values of its inputs by slot. */
export interface Case {
  readonly node: Node;
  readonly graph: Graph;
  readonly inputs: Slots;
}

/** An operand: a shape with its values, a shape alone (an output), or an input's slot number (in place). */
export interface Given {
  readonly rows: number;
  readonly axis: Axis;
  readonly dtype?: 'f32' | 'u32';
  readonly home?: Home;
  readonly storage?: Storage;
  readonly values?: Float64Array;
}

/** A node of one operation; `outputs` may hold tensors of the inputs by slot, for operations in place. */
export function makeCase<K extends OpName>(
  op: K,
  inputs: readonly (Given | null)[],
  outputs: readonly (Given | number | null)[],
  attrs: Ops[K],
): Case {
  const g = new Builder({ kind: 'forward', image: false }, 1, 1);
  const put = (given: Given, name: string): Tensor =>
    g.tensor(
      name,
      given.rows,
      given.axis,
      given.home,
      given.dtype,
      given.storage === undefined ? {} : { storage: given.storage },
    );
  // One object in two slots is one tensor.
  const known = new Map<Given, Tensor>();
  const ins = inputs.map((given, i) => {
    if (!given) return null;
    const tensor = known.get(given) ?? put(given, `in${i}`);
    known.set(given, tensor);
    return tensor;
  });
  const outs = outputs.map((given, i) =>
    given === null ? null : typeof given === 'number' ? (ins[given] ?? null) : put(given, `out${i}`),
  );
  g.node(op, ins, outs, attrs);
  const graph = g.graph();
  return { node: graph.nodes[0] as Node, graph, inputs: inputs.map((given) => given?.values ?? null) };
}

let seed = 1;

/** Random numbers in [-scale, scale) on every logical column, zeros in the padding, as all tensors are. */
export function random(rows: number, ax: Axis | number, scale = 1): Given {
  const on = typeof ax === 'number' ? axis(ax) : ax;
  const given = { rows, axis: on };
  const values = randomValues(
    extent({ ...given, id: 0, name: '', dtype: 'f32', home: 'activations' }),
    seed++,
  );
  const stride = ceil4(on.size);
  return { ...given, values: values.map((x, i) => (i % stride < on.size ? Math.fround(x * scale) : 0)) };
}

/** A frozen matrix of random numbers that a format has. */
export function stored(rows: number, ax: Axis, storage: Storage): Given {
  const given = random(rows, ax);
  return {
    ...given,
    storage,
    home: 'weights',
    values: asStored({ axis: ax, storage }, given.values ?? new Float64Array()),
  };
}

/** Whole numbers [1, n], padded with `pad`. */
export function words(values: readonly number[], pad = 0): Given {
  const padded = Float64Array.from({ length: ceil4(values.length) }, (_, i) => values[i] ?? pad);
  return { rows: 1, axis: axis(values.length), dtype: 'u32', values: padded };
}

/** Numbers [1, n]. */
export const vector = (values: readonly number[]): Given => ({ ...words(values), dtype: 'f32' });
export const shape = (rows: number, ax: Axis | number): Given => ({
  rows,
  axis: typeof ax === 'number' ? axis(ax) : ax,
});

/** Runs the case in every family and compares with the reference. */
export async function checkFamilies(
  device: Device,
  made: Case,
  closeness: Closeness,
): Promise<Float64Array[][]> {
  const results: Float64Array[][] = [];
  for (const profile of profilesOf(device)) {
    const launches = emit(made.node, made.graph, profile);
    results.push(await checkNode(made.node, made.graph, made.inputs, launches, device, closeness));
  }
  return results;
}

/**
 * Bounds for sums in another order than the reference's: the error of a sum grows with the sum of magnitudes, which is the
 * reference of the same node on absolute values. `share` is the error relative to that.
 */
export function boundsBySize(made: Case, share: number, slots: readonly number[]): Closeness {
  const sizes = referenceOf(
    made.node,
    made.graph,
    made.inputs.map((values) => values && values.map(Math.abs)),
  );
  return {
    bounds: sizes.map((values, slot) => (slots.includes(slot) ? values.map((x) => share * x + 1e-30) : null)),
  };
}
