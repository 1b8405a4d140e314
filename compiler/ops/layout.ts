/** Small helpers the CPU references share. */
import { invariant } from '../../grammar/invariant.ts';
import { type Axis, ceil4, padded } from '../model/model.ts';
import type { Operand } from './op.ts';

/** Calls `f` with the padded column of every logical column. */
export function eachColumn(ax: Axis, f: (column: number) => void): void {
  const stride = ceil4(ax.size);
  for (let g = 0; g < ax.groups; g++) for (let i = 0; i < ax.size; i++) f(g * stride + i);
}

export const width = (o: Operand): number => padded(o.tensor.axis);

/** The operand in a slot that its operation requires. */
export function need(operands: readonly (Operand | null)[], slot: number): Operand {
  const operand = operands[slot];
  invariant(operand, `operand ${slot} is missing`);
  return operand;
}

export const at = (values: Float64Array, index: number): number => values[index] ?? 0;
