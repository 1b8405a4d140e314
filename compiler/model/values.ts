/** Values of attributes as text. */
import type { FieldValue } from './model.ts';

/** As the language writes it: `tanh(init: 0, per: head)`. */
export function printValue(value: FieldValue): string {
  if (value === null) return 'none';
  if (typeof value === 'string') return /^[a-z_]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if ('call' in value) {
    const { call, args } = value;
    if (call === 'duration')
      return `${printValue(args['value'] ?? 0)} ${printValue(args['unit'] ?? 'steps')}`;
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
