/** Sizes that no machine holds: told by a product of a few numbers, before anything is planned with them. */

/** Numbers that one network may have: 16 TiB in 32 bits, sixty times LLaMA-65B. */
const MOST_NUMBERS = 2 ** 42;

/** What is wrong with a network of `numbers` numbers, and its largest sizes; null where it is not too large. */
export function tooLarge(
  name: string,
  numbers: number,
  sizes: Readonly<Record<string, number>>,
): { readonly key: string; readonly message: string; readonly why: string } | null {
  if (numbers <= MOST_NUMBERS) return null;
  const largest = Object.entries(sizes).sort(([, a], [, b]) => b - a);
  const shown = largest.slice(0, 3).map(([key, size]) => `\`${key}\` ${size}`);
  return {
    key: largest[0]?.[0] ?? '',
    message: `\`${name}\` has ${numbers.toPrecision(2)} numbers, at most ${MOST_NUMBERS.toPrecision(2)} are possible`,
    why: `its largest sizes are ${shown.join(', ')}`,
  };
}

/** Numbers in the matrices of transformer blocks: four of attention, and those of the feed-forward network. */
export const numbersInBlocks = (blocks: number, width: number, hidden: number): number =>
  blocks * width * (4 * width + 2 * hidden);
