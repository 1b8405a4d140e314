/** Sizes of which no projector can be made. */
import { numbersInBlocks, tooLarge } from '../model/sizes.ts';
import { printValue } from '../model/values.ts';
import type { Problem, Unchecked } from './kind.ts';

/** A problem where the blocks of `queries` have more numbers than any machine holds. */
export function vastProjector({ name, fields }: Unchecked): Problem[] {
  if (fields['kind'] !== 'queries') return [];
  const width = Number(fields['hidden'] ?? fields['width']);
  const hidden = Number(fields['block_hidden'] ?? 4 * width);
  const depth = Number(fields['depth']);
  const large = tooLarge(name, numbersInBlocks(depth, width, hidden), {
    depth,
    hidden: width,
    block_hidden: hidden,
  });
  return large === null ? [] : [[large.key, large.message, large.why]];
}

/** Problems of lengths and widths that do not go together. */
export function projectorProblems({ fields }: Unchecked): Problem[] {
  const { kind, length, tokens, width, hidden, heads } = fields;
  const [makes, comes] = [Number(length), Number(tokens)];
  if (kind === 'queries') {
    const inside = Number(hidden ?? width);
    if (inside % Number(heads) === 0) return [];
    return [
      [
        'heads',
        `${printValue(heads ?? null)} heads do not divide a width of ${inside}`,
        'each head takes an equal share',
      ],
    ];
  }
  if (kind === 'bridge' && tokens !== null && makes !== comes)
    return [
      ['length', `a bridge makes ${makes} tokens of ${comes}`, 'it makes one token of each that comes in'],
    ];
  if (kind !== 'bridge' && comes > 1 && makes > comes)
    return [
      [
        'length',
        `${makes} tokens cannot be made of ${comes}`,
        'a linear or an MLP makes one token of each of the first that come in; `queries` makes any number',
      ],
    ];
  return [];
}
