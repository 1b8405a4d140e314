/** Recognised words as a text: uncertain ones left out, lines as a reader goes through them. */
import type { Reading } from './expert.ts';

/** A word and its box in pixels, counted from the upper left corner. */
export interface Word {
  readonly text: string;
  /** 0 to 1. */
  readonly confidence: number;
  readonly box: Box;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface Line {
  readonly words: readonly Word[];
  readonly box: Box;
}

/**
 * The text of the lines that were found: from the top, and from the left where they stand side by side. Several are
 * numbered, as in figure 9 of LLaMA-Adapter V2. The confidence is the mean of the words'.
 * @param least words below this confidence are left out
 */
export function readLines(lines: readonly (readonly Word[])[], least: number): Reading {
  const kept = lines.flatMap((line) => {
    const words = line.filter(({ text, confidence }) => confidence >= least && /[\p{L}\p{N}]/u.test(text));
    return words.length === 0 ? [] : [{ words, box: around(words) }];
  });
  const texts = inOrder(kept).map(({ words }) => words.map(({ text }) => text).join(' '));
  const words = kept.flatMap((line) => line.words);
  return {
    text: texts.length < 2 ? texts.join('') : texts.map((text, i) => `${i + 1}. ${text}`).join(' '),
    confidence:
      words.length === 0 ? null : words.reduce((sum, { confidence }) => sum + confidence, 0) / words.length,
  };
}

const around = (words: readonly Word[]): Box => ({
  left: Math.min(...words.map(({ box }) => box.left)),
  top: Math.min(...words.map(({ box }) => box.top)),
  right: Math.max(...words.map(({ box }) => box.right)),
  bottom: Math.max(...words.map(({ box }) => box.bottom)),
});

/** Lines that overlap by half of their height stand side by side; each row then goes from left to right. */
function inOrder(lines: readonly Line[]): Line[] {
  const rows: Line[][] = [];
  for (const line of [...lines].sort((a, b) => middle(a) - middle(b))) {
    const row = rows.at(-1);
    if (row?.[0] && sideBySide(row[0].box, line.box)) row.push(line);
    else rows.push([line]);
  }
  return rows.flatMap((row) => row.sort((a, b) => a.box.left - b.box.left));
}

const middle = ({ box }: Line): number => (box.top + box.bottom) / 2;

function sideBySide(a: Box, b: Box): boolean {
  const shared = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return 2 * shared > Math.min(a.bottom - a.top, b.bottom - b.top);
}
