/** Records the tensors, nodes and outputs of a graph while it is built, in the order of their creation. */
import { invariant } from '../../grammar/invariant.ts';
import { type Axis, logical, padded, type Storage } from '../model/model.ts';
import type { Purpose } from '../package/package.ts';
import { programName } from '../package/programs.ts';
import {
  type Graph,
  type Home,
  labelOf,
  type Node,
  type OpName,
  type Ops,
  type Origin,
  type Tensor,
} from './graph.ts';

/** What a builder must know of every parameter: how it lies on the device (storage: f32 unless told), and whether any task trains it. */
export type ParameterTable = ReadonlyMap<
  string,
  { readonly axes: readonly Axis[]; readonly trainable: boolean; readonly storage?: Storage }
>;

/** Optional facts about a tensor, beside its shape and home. */
export type Facts = Pick<Tensor, 'parameter' | 'cell' | 'from' | 'constant' | 'storage' | 'image'>;

/** Records tensors and nodes; it knows nothing of what the nodes compute. */
export class Tape {
  readonly tensors: Tensor[] = [];
  readonly nodes: Node[] = [];
  readonly outputs: { name: string; tensor: number }[] = [];
  /** Where the nodes built from here on come from. */
  origin: Origin = { site: '', part: null, layer: null, span: null };
  taps = false;
  /** Vectors in front of each sequence. */
  prepended = 0;
  readonly purpose: Purpose;
  readonly batch: number;
  readonly tokens: number;
  readonly #parameters = new Map<string, Tensor>();
  readonly #table: ParameterTable;

  constructor(purpose: Purpose, batch: number, tokens: number, table: ParameterTable = new Map()) {
    this.purpose = purpose;
    this.batch = batch;
    this.tokens = tokens;
    this.#table = table;
  }

  get name(): string {
    return programName(this.purpose);
  }

  /** The place of the nodes built from here on, in messages and in the names of their results. */
  get label(): string {
    return labelOf(this.origin);
  }

  /** Says where the nodes built from here on come from; without a part, from the base or the program itself. */
  at(site: string, { part = null, layer = null, span = null }: Partial<Omit<Origin, 'site'>> = {}): void {
    this.origin = { site, part, layer, span };
  }

  /** Sets another site for the next nodes; part and statement of the spec stay. */
  inside(site: string): void {
    this.origin = { ...this.origin, site };
  }

  /** `facts`: optional facts about the tensor. */
  tensor(
    name: string,
    rows: number,
    ax: Axis,
    home: Home = 'activations',
    dtype: 'f32' | 'u32' = 'f32',
    facts: Facts = {},
  ): Tensor {
    const made: Tensor = { id: this.tensors.length, name, dtype, rows, axis: ax, home, ...facts };
    this.tensors.push(made);
    return made;
  }

  /** The tensor of a parameter; the same one each time it is asked for. */
  parameter(name: string): Tensor {
    const known = this.#parameters.get(name);
    if (known) return known;
    const row = this.#table.get(name);
    const [first, second] = row?.axes ?? [];
    invariant(row && first, `parameter ${name} is not in the table`);
    const home = row.trainable ? 'parameters' : 'weights';
    const made = this.tensor(name, second ? padded(first) : 1, second ?? first, home, 'f32', {
      parameter: name,
      ...(row.storage === undefined || row.storage === 'f32' ? {} : { storage: row.storage }),
    });
    this.#parameters.set(name, made);
    return made;
  }

  /** A matrix parameter as a list of vectors. Its number of rows is not padded, since no linear multiplies by it. */
  vectors(name: string): Tensor {
    const known = this.#parameters.get(name);
    if (known) return known;
    const length = this.#table.get(name)?.axes[0];
    const made = this.parameter(name);
    invariant(length, `parameter ${name} is not in the table`);
    const rows: Tensor = { ...made, rows: logical(length) };
    this.tensors[made.id] = rows;
    this.#parameters.set(name, rows);
    return rows;
  }

  /** Names an intermediate tensor for comparison with other implementations; with `taps` it becomes an output. */
  tap(name: string, tensor: Tensor): void {
    if (this.taps) this.output(name, tensor);
  }

  output(name: string, tensor: Tensor): void {
    this.outputs.push({ name, tensor: tensor.id });
  }

  /** Moves a tensor to another home in place: gradients end up beside their parameters this way. */
  rehome(tensor: Tensor, home: Home, parameter?: string): Tensor {
    const moved: Tensor = { ...tensor, home, ...(parameter ? { parameter } : {}) };
    this.tensors[tensor.id] = moved;
    return moved;
  }

  node<K extends OpName>(
    op: K,
    inputs: readonly (Tensor | null)[],
    outputs: readonly (Tensor | null)[],
    attrs: Ops[K],
  ): void {
    const ids = (list: readonly (Tensor | null)[]) => list.map((t) => t?.id ?? null);
    this.nodes.push({ op, inputs: ids(inputs), outputs: ids(outputs), attrs, origin: this.origin } as Node);
  }

  graph(): Graph {
    return {
      purpose: this.purpose,
      name: this.name,
      batch: this.batch,
      tokens: this.tokens,
      prepended: this.prepended,
      tensors: this.tensors,
      nodes: this.nodes,
      outputs: this.outputs,
    };
  }
}

export const describe = (t: Tensor): string =>
  `${t.name} [${t.rows}, ${t.axis.groups === 1 ? t.axis.size : `${t.axis.groups}x${t.axis.size}`}]`;

/** Numbers a tensor takes in memory. */
export const extent = (t: Tensor): number => t.rows * padded(t.axis);
