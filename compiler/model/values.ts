/** Values of attributes, read back and as text. */
import { invariant } from '../../grammar/invariant.ts';
import { percentOf } from '../../grammar/print.ts';
import type { FieldValue } from './model.ts';

/** As the language writes it: `tanh(init: 0, per: head)`. */
export function printValue(value: FieldValue): string {
  if (value === null) return 'none';
  if (typeof value === 'string') return /^[a-z_]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if ('call' in value) {
    const { call, args } = value;
    if (call === 'duration') {
      const { value: length = 0, unit = 'steps' } = args;
      return unit === 'share' ? percentOf(numberOf(length)) : `${printValue(length)} ${printValue(unit)}`;
    }
    return `${call}(${Object.entries(args)
      .map(([key, v]) => `${key}: ${printValue(v)}`)
      .join(', ')})`;
  }
  return `[${value.map(printValue).join(', ')}]`;
}

/** A block of attributes on one line. */
export const printExact = (fields: Readonly<Record<string, FieldValue>>): string =>
  `{ ${Object.entries(fields)
    .map(([key, value]) => `${key} = ${printValue(value)}`)
    .join('  ')} }`;

export function numberOf(value: FieldValue | undefined): number {
  invariant(typeof value === 'number', `a number was expected, not ${JSON.stringify(value)}`);
  return value;
}

export function callOf(value: FieldValue | undefined): {
  call: string;
  args: Readonly<Record<string, FieldValue>>;
} {
  invariant(isCall(value), `a call was expected, not ${JSON.stringify(value)}`);
  return value;
}

export function isCall(
  value: FieldValue | undefined,
): value is { readonly call: string; readonly args: Readonly<Record<string, FieldValue>> } {
  return typeof value === 'object' && value !== null && 'call' in value;
}
