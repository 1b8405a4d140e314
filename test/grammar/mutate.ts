/** Specs with something done to them: to their bytes, their tokens or their lines. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { printFile } from '../../grammar/print.ts';
import { lexemes, withNoise } from './noise.ts';
import { pick, randomFrom, type Random } from './random.ts';
import { randomFile } from './trees.ts';

const root = join(import.meta.dirname, '../..');

/** Every spec of the repository. */
export const specs: readonly string[] = ['specs', 'examples', 'test/fixtures'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.adapter'))
    .sort()
    .map((file) => readFileSync(join(root, folder, file), 'utf8')),
);

const pool = [...new Set(specs.flatMap(lexemes))];

/** A place and a short stretch behind it. */
const stretch = (r: Random, length: number, most: number): [number, number] => {
  const at = r(length + 1);
  return [at, Math.min(length, at + 1 + r(most))];
};

function mutateBytes(text: string, r: Random): string {
  const bytes = [...new TextEncoder().encode(text)];
  const [at, end] = stretch(r, bytes.length, 12);
  const piece = bytes.slice(at, end);
  const changes: readonly (() => number[])[] = [
    () => [],
    () => [...piece, r(256)],
    () => [r(128), ...piece],
    () => piece.map((byte) => byte ^ (1 << r(8))),
    () => [...piece, ...piece, ...piece],
    () => piece.toReversed(),
  ];
  return new TextDecoder().decode(new Uint8Array(bytes.toSpliced(at, end - at, ...pick(r, changes)())));
}

/** Tokens keep the blanks behind them. */
function mutateTokens(text: string, r: Random): string {
  const all = lexemes(text);
  const spaced = tokensWithGaps(text, all);
  const [at, end] = stretch(r, spaced.length, r(10) === 0 ? 40 : 3);
  const piece = spaced.slice(at, end);
  const other = Math.min(spaced.length, r(spaced.length + 1));
  const changes: readonly (() => string[])[] = [
    () => spaced.toSpliced(at, end - at),
    () => spaced.toSpliced(at, 0, `${pick(r, pool)} `),
    () => spaced.toSpliced(at, end - at, `${pick(r, pool)} `),
    () => spaced.toSpliced(other, 0, ...piece),
    () => spaced.toSpliced(at, end - at, ...piece.toReversed()),
    () => spaced.toSpliced(at, 0, ...Array.from({ length: 1 + r(150) }, () => spaced[at] ?? '(')),
  ];
  return pick(r, changes)().join('');
}

function tokensWithGaps(text: string, all: readonly string[]): string[] {
  const out: string[] = [];
  let from = 0;
  for (const token of all) {
    const start = text.indexOf(token, from);
    if (out.length > 0) out[out.length - 1] += text.slice(from, start);
    out.push(token);
    from = start + token.length;
  }
  return out;
}

function mutateLines(text: string, r: Random): string {
  const lines = text.split('\n');
  const [at, end] = stretch(r, lines.length, 4);
  const piece = lines.slice(at, end);
  const other = pick(r, specs).split('\n');
  const changes: readonly (() => string[])[] = [
    () => lines.toSpliced(at, end - at),
    () => lines.toSpliced(r(lines.length + 1), 0, ...piece),
    () => [...lines.slice(0, at), ...other.slice(r(other.length))],
    () => lines.slice(0, at),
    () => lines.slice(at),
  ];
  return pick(r, changes)().join('\n');
}

/** The text with this number, the same in every run: a spec or a random tree, changed in up to four ways, or in none. */
export function mutation(seed: number): string {
  const r = randomFrom(seed);
  let text = r(4) === 0 ? withNoise(printFile(randomFile(r)), r, pick(r, [0, 2, 8])) : pick(r, specs);
  for (let n = r(5); n > 0; n--)
    text = pick(r, [mutateBytes, mutateTokens, mutateTokens, mutateLines])(text, r);
  return text;
}
