/** What a formatter looks at in a text: line breaks, and how wide a word is. */
import type * as prettier from 'prettier';
import * as standalone from 'prettier/standalone';

// Its types leave `util` out, which is there.
const { util } = standalone as unknown as Pick<typeof prettier, 'util'>;

/** Line breaks in the blanks right before a place; at the start of the text there is one. Two leave a blank line. */
export function breaksBefore(text: string, place: number): number {
  let breaks = 0;
  let at = place - 1;
  for (; at >= 0 && /\s/.test(text[at] ?? ''); at--) if (text[at] === '\n') breaks++;
  return at < 0 ? Math.max(1, breaks) : breaks;
}

/** Columns that a text of one line takes. */
export const widthOf = (text: string): number => util.getStringWidth(text);

/** Blanks that fill a column up to its width. */
export const padTo = (text: string, width: number): string =>
  `${text}${' '.repeat(Math.max(0, width - widthOf(text)))}`;
