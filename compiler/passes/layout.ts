/** Gives every parameter its place: frozen ones in `weights`, trained ones in `parameters`, contiguous by cell. */
import { invariant } from '../../grammar/invariant.ts';
import { type Model, type Parameter, padded } from '../model/model.ts';
import { MAX_CELLS } from '../graph/graph.ts';
import { BLOCK } from '../package/constants.ts';
import type { Cell, PackagedParameter } from '../package/package.ts';

/** Bindings start at multiples of this many bytes: the largest alignment WebGPU devices ask for. */
export const ALIGNMENT = 256;
export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export interface Layout {
  readonly parameters: readonly PackagedParameter[];
  readonly byName: ReadonlyMap<string, PackagedParameter>;
  readonly cells: readonly Cell[];
  readonly weights: number;
  readonly trained: number;
}

export const noLayout: Layout = { parameters: [], byName: new Map(), cells: [], weights: 0, trained: 0 };

const bytes = (p: Parameter): number => 4 * p.axes.reduce((n, a) => n * padded(a), 1);

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
  const frozen = place(byCell.get('') ?? [], 'weights', 0, null);
  const cells: Cell[] = [];
  const trained: PackagedParameter[] = [];
  let offset = 0;
  for (const [key, parameters] of byCell) {
    if (key === '') continue;
    const placed = place(parameters, 'parameters', offset, cells.length);
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
) {
  let end = from;
  const parameters = list.map((p): PackagedParameter => {
    const slice = { buffer, offset: end, size: bytes(p) };
    end += align(bytes(p));
    const { name, shape, axes, init, source, owner, decay, rate } = p;
    return { name, shape, axes, init, ...(source ? { source } : {}), owner, decay, rate, slice, cell };
  });
  return { parameters, end };
}
