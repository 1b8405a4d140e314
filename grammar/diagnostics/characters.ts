/** Characters, strings and numbers that are not of the language. */
import type { IToken } from 'chevrotain';
import type { Diagnostic } from '../diagnostic.ts';
import { entry } from '../entry.ts';
import type { Source, Span } from '../source.ts';
import * as t from '../tokens.ts';

export const A001 = entry({
  code: 'A001',
  severity: 'error',
  title: 'unexpected character',
  text: `
    The language is written with names, numbers, strings in double quotes, and the signs { } ( ) [ ] , : . .. = == !=
    + - & * and **. Comments start with two slashes, and with three when they document what follows.`,
  bad: `
    param length = 10;`,
  good: `
    param length = 10`,
});

/** Characters that start no token. */
export function lexicalError(source: Source, start: number, length: number): Diagnostic {
  const span = { file: source.file, start, end: start + Math.max(1, length) };
  const text = source.text.slice(span.start, span.end);
  const help: Readonly<Record<string, string>> = {
    ';': 'nothing needs a semicolon here',
    '/': 'comments start with `//`; there is no division',
  };
  return A001.at(span, `unexpected ${length > 1 ? 'characters' : 'character'} \`${text}\``, {
    // What a reader of UTF-8 puts in the place of bytes that are none.
    help: text.includes('\ufffd') ? 'this is not UTF-8: save the file as UTF-8' : help[text[0] ?? ''],
    edits: /^;+$/.test(text) ? [{ span, text: '' }] : [],
  });
}

/** A comment as Python, shells, C or CSS have it. */
export function foreignComment(source: Source, token: IToken): Diagnostic {
  const { image, startOffset: start } = token;
  const sign = image.startsWith('#') ? (/^#+/.exec(image)?.[0] ?? '') : image;
  const lines = image.replace(/^\/\*+|\*+\/$/g, '').split(/\r?\n/);
  const words = lines.map((line) => line.replace(/^\s*\*?\s*/, '').trimEnd()).filter((line) => line !== '');
  const text = image.startsWith('#') ? '//' : words.map((line) => `// ${line}`).join('\n');
  // What follows a comment on its last line would become part of it.
  const alone = /^[^\S\n]*(\r?\n|$)/.test(source.text.slice(start + image.length));
  const span = { file: source.file, start, end: start + sign.length };
  return A001.at(span, `unexpected ${image.startsWith('#') ? 'character `#`' : 'characters `/*`'}`, {
    help: 'comments start with `//`, and end with their line',
    edits: alone || image.startsWith('#') ? [{ span, text }] : [],
  });
}

export const singleQuotes = (span: Span, text: string): Diagnostic =>
  A001.at(span, "unexpected character `'`", {
    help: 'strings are written with double quotes',
    edits: [{ span, text: JSON.stringify(text) }],
  });

export const A002 = entry({
  code: 'A002',
  severity: 'error',
  title: 'the string is not closed',
  text: `
    A string ends on the line on which it begins. Inside of it, \\n is a new line, \\t a tab, \\" a quote and \\\\ a
    backslash.`,
  bad: `
    data corpus = text("corpus.txt
    )`,
  good: `
    data corpus = text("corpus.txt")`,
});

/** A string whose line ends before its quote. */
export function unterminatedString(span: Span, text: string): Diagnostic {
  const at = span.start + contentOf(text).length;
  return A002.at(span, 'the string is not closed', {
    label: 'no `"` before the end of the line',
    help: 'close it with `"`',
    edits: [{ span: { ...span, start: at, end: at }, text: '"' }],
  });
}

/** An open string without what rather belongs to the line behind it: blanks, and brackets that it does not open. */
function contentOf(text: string): string {
  const trimmed = text.replace(/[\s,]+$/, '');
  const close = trimmed.at(-1) ?? '';
  const open = { ')': '(', ']': '[', '}': '{' }[close];
  if (open === undefined) return trimmed;
  const count = (sign: string): number => trimmed.split(sign).length - 1;
  return count(open) >= count(close) ? trimmed : contentOf(trimmed.slice(0, -1));
}

export const A004 = entry({
  code: 'A004',
  severity: 'error',
  title: 'unknown unit after a number',
  text: `
    A number may be followed by %, k, M, B, KiB, MiB or GiB without a blank, and by the words \`epochs\` or \`steps\` with
    one. Other letters mean nothing.`,
  bad: `
    param length = 10m`,
  good: `
    param length = 10M`,
});

/** `7Q`: a number with letters that mean nothing. */
export function unknownSuffix(span: Span, text: string, suffix: string): Diagnostic {
  const near = suffixMeant(suffix);
  const better = `${text.slice(0, -suffix.length)}${near ?? ''}`;
  return A004.at(span, `\`${suffix}\` is not a unit that can follow a number`, {
    label: `in \`${text}\``,
    ...(near === undefined
      ? {}
      : {
          help: `did you mean \`${better}\`?`,
          // The span may reach over a word behind the number.
          edits: [{ span: { ...span, end: span.start + text.length }, text: better }],
        }),
    notes: [
      `known are ${Object.keys(t.suffixes)
        .map((s) => `\`${s}\``)
        .join(', ')}, and the words \`epochs\` and \`steps\``,
    ],
  });
}

/** `m` for M, `kb` for KiB, `epochs` without its blank. */
function suffixMeant(suffix: string): string | undefined {
  const word = suffix.toLowerCase();
  if (t.units.includes(word)) return ` ${word}`;
  if (/^e?p(oc)?hs?$|^ep$/.test(word)) return ' epochs';
  const bytes = /^([kmg])(i?b)$/.exec(word);
  if (bytes !== null) return `${bytes[1]?.toUpperCase()}iB`;
  if (word === 'g' || word === 'bn') return 'B';
  return Object.keys(t.suffixes).find((known) => known.toLowerCase() === word);
}
