/** Pictures for experts: signs whose letters are drawn as strokes, since a bare machine has no fonts, and emoji. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import sharp from 'sharp';

/** Strokes of letters in a box 10 wide and 14 high. */
const letters: Readonly<Record<string, string>> = {
  A: 'M0 14 L5 0 L10 14 M2 9 H8',
  E: 'M10 0 H0 V14 H10 M0 7 H8',
  H: 'M0 0 V14 M10 0 V14 M0 7 H10',
  I: 'M5 0 V14',
  L: 'M0 0 V14 H9',
  N: 'M0 14 V0 L10 14 V0',
  O: 'M5 0 C11 0 11 14 5 14 C-1 14 -1 0 5 0 Z',
  P: 'M0 14 V0 H6 C11 0 11 8 6 8 H0',
  R: 'M0 14 V0 H6 C11 0 11 8 6 8 H0 M5 8 L10 14',
  S: 'M10 2 C8 -1 0 -1 0 3.5 C0 8 10 6 10 10.5 C10 15 2 15 0 12',
  T: 'M0 0 H10 M5 0 V14',
  X: 'M0 0 L10 14 M10 0 L0 14',
};

/** A word whose capitals are `size` pixels high, its upper left corner at x, y. */
function word(text: string, x: number, y: number, size: number): string {
  const scale = size / 14;
  const strokes = Array.from(
    text,
    (letter, i) => `<path transform="translate(${i * 14})" d="${letters[letter] ?? ''}"/>`,
  );
  return `<g transform="translate(${x} ${y}) scale(${scale})" fill="none" stroke="#111" stroke-width="2">${strokes.join('')}</g>`;
}

interface IconSet {
  readonly icons: Readonly<Record<string, { readonly body: string }>>;
}

let set: IconSet | null = null;

/** An emoji of Noto's, as part of an SVG. */
function emoji(name: string, x: number, y: number, size: number): string {
  const path = createRequire(import.meta.url).resolve('@iconify-json/noto/icons.json');
  set ??= JSON.parse(readFileSync(path, 'utf8')) as IconSet;
  const { body } = set.icons[name] ?? { body: '' };
  return `<svg x="${x}" y="${y}" width="${size}" height="${size}" viewBox="0 0 128 128">${body}</svg>`;
}

const toPng = (width: number, height: number, inside: string): Promise<Buffer> =>
  sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#f4efe2"/>${inside}</svg>`,
    ),
  )
    .png()
    .toBuffer();

/** A sign of several lines with an emoji beside it, as a PNG. */
export const signPng = (lines: readonly string[], icon = 'dog-face'): Promise<Buffer> =>
  toPng(
    560,
    70 + 80 * lines.length,
    lines.map((line, i) => word(line, 40, 40 + 80 * i, 44)).join('') + emoji(icon, 400, 20, 120),
  );

/** An emoji alone, large, as a PNG. */
export const emojiPng = (name: string, size = 352): Promise<Buffer> =>
  toPng(size, size, emoji(name, size / 8, size / 8, (3 * size) / 4));
