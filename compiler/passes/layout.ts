/** Gives every parameter its place: frozen ones in `weights`, trained ones in `parameters`, contiguous by cell. */
import { invariant } from '../../grammar/invariant.ts';
import { type Model, type Parameter, padded, type Storage } from '../model/model.ts';
import { MAX_CELLS } from '../graph/graph.ts';
import { BLOCK } from '../package/constants.ts';
import type { Cell, PackagedParameter } from '../package/package.ts';
import { formats, storageIn, storedBytes } from '../storage/index.ts';

/** Bindings start at multiples of this many bytes: the largest alignment WebGPU devices ask for. */
const ALIGNMENT = 256;
export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export interface Layout {
  readonly parameters: readonly PackagedParameter[];
  readonly byName: ReadonlyMap<string, PackagedParameter>;
  readonly cells: readonly Cell[];
  readonly weights: number;
  readonly trained: number;
}

export const noLayout: Layout = { parameters: [], byName: new Map(), cells: [], weights: 0, trained: 0 };

type StorageOf = ReturnType<typeof storageIn>;

/** Bytes of a parameter: rows of its last axis. */
function bytes({ axes }: Parameter, storage: Storage): number {
  const widths = axes.map(padded);
  return storedBytes(formats[storage], widths.length === 2 ? (widths[0] ?? 1) : 1, widths.at(-1) ?? 1);
}

/** `reached`: for every task, the parameters its loss depends on and that it trains. */
export function layOut(model: Model, reached: ReadonlyMap<string, ReadonlySet<string>>): Layout {
  invariant(ALIGNMENT === 4 * BLOCK, 'a block of parameters is one binding alignment');
  const owners = (p: Parameter) =>
    model.tasks.map((t) => t.name).filter((task) => reached.get(task)?.has(p.name));
  const byCell = new Map<string, Parameter[]>();
  for (const p of model.parameters) {
    const key = owners(p).join(' ');
    const cell = byCell.get(key);
    if (cell) cell.push(p);
    else byCell.set(key, [p]);
  }
  const storageOf = storageIn(model);
  const frozen = place(byCell.get('') ?? [], 'weights', 0, null, storageOf);
  const cells: Cell[] = [];
  const trained: PackagedParameter[] = [];
  let offset = 0;
  for (const [key, parameters] of byCell) {
    if (key === '') continue;
    const placed = place(parameters, 'parameters', offset, cells.length, storageOf);
    cells.push({ offset, size: placed.end - offset, tasks: key.split(' ') });
    trained.push(...placed.parameters);
    offset = placed.end;
  }
  invariant(
    cells.length <= MAX_CELLS,
    `${cells.length} sets of tasks share parameters, ${MAX_CELLS} are possible`,
  );
  const parameters = [...frozen.parameters, ...trained];
  const byName = new Map(parameters.map((p) => [p.name, p]));
  return { parameters, byName, cells, weights: frozen.end, trained: offset };
}

function place(
  list: readonly Parameter[],
  buffer: 'weights' | 'parameters',
  from: number,
  cell: number | null,
  storageOf: StorageOf,
) {
  let end = from;
  const parameters = list.map((p): PackagedParameter => {
    const storage = storageOf(p);
    const slice = { buffer, offset: end, size: bytes(p, storage) };
    end += align(slice.size);
    const { name, shape, axes, init, source, owner, decay, rate } = p;
    return {
      ...{ name, shape, axes, init, ...(source ? { source } : {}), owner, decay, rate },
      ...(storage === 'f32' ? {} : { storage }),
      ...{ slice, cell },
    };
  });
  return { parameters, end };
}
