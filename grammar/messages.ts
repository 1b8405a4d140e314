/** Every message about syntax. The checker's own are in `compiler/check`. */
import {
  EOF,
  tokenMatcher,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  type IToken,
  type TokenType,
} from 'chevrotain';
import { bracketPairs, closing, type Brackets, type Pair } from './brackets.ts';
import { error, type Diagnostic } from './diagnostic.ts';
import { hintFor, isNextArgument, isUnit, slipAt } from './hints.ts';
import type { Source, Span } from './source.ts';
import { nearest } from './suggest.ts';
import * as t from './tokens.ts';

/** What a rule of the grammar wants, in the user's words. */
const wanted: Readonly<Record<string, string>> = {
  file: 'a declaration',
  declaration: 'a declaration',
  item: 'a part, `group`, `task`, `expert`, `override` or `drop`',
  term: 'a value',
  expression: 'a value',
  number: 'a number',
  literal: 'a number',
  path: 'a name',
  segment: 'a name after the dot',
  edge: 'how many layers, as in `first 4`',
  condition: '`==` or `!=`',
  override: 'what to change',
};

const labelOf = (type: TokenType): string =>
  type === EOF ? 'a declaration' : type === t.Word ? 'a name' : (type.LABEL ?? type.name);

/** What may stand where a closing brace was expected. */
const orBrace = (rule: string): string =>
  rule === 'adapter' ? 'another part, group or task, or `}`' : 'an attribute or `}`';

/** Chevrotain asks for texts; ours say what was wanted, and `syntaxError` adds what was found. */
export const messageProvider: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => labelOf(expected),
  buildNotAllInputParsedMessage: () => wanted['file'] ?? '',
  buildNoViableAltMessage: ({ ruleName }) => wanted[ruleName] ?? 'something else',
  buildEarlyExitMessage: ({ ruleName }) => wanted[ruleName] ?? 'something else',
};

const pairs = new Map(bracketPairs.map((pair) => [labelOf(pair.close), pair]));

/**
 * Whether this complaint only follows from an earlier one: an adapter that broke off leaves its items behind, and a
 * name left over from a broken item looks like the kind of a part.
 */
export function isFollowUp(d: Diagnostic, e: IRecognitionException): boolean {
  const isItem = t.itemKeywords.includes(e.token.tokenType);
  // What is indented belongs to something that broke off.
  if (d.code === 'A006')
    return isItem || tokenMatcher(e.token, t.RightBrace) || (e.token.startColumn ?? 1) > 1;
  return (isItem || tokenMatcher(e.token, t.RightBrace)) && e.context.ruleStack.at(-1) === 'part';
}

/** What the parser could not read. */
export function syntaxError(
  source: Source,
  e: IRecognitionException,
  tokens: readonly IToken[],
  brackets: Brackets,
): Diagnostic {
  const found = e.token;
  const span = found.tokenType === EOF ? endOf(source, tokens) : spanOf(source, found);
  const pair = pairs.get(e.message);
  const slip = slipAt(source, e, span, tokens);
  if (pair !== undefined && startsSomethingNew(found) && !isNextArgument(slip) && !isUnit(slip))
    return unclosed(source, pair, span, found, brackets);
  if (e.message === wanted['file']) return notADeclaration(span, found);
  const expected = e.message === '`}`' ? orBrace(slip.rule) : e.message;
  return error('A003', span, `expected ${expected}, found ${describe(found)}`, {
    label: `expected ${expected}`,
    ...hintFor(slip),
  });
}

const startsSomethingNew = (token: IToken): boolean =>
  token.tokenType === EOF ||
  tokenMatcher(token, t.Identifier) ||
  [...t.declarationKeywords, ...t.itemKeywords].includes(token.tokenType);

/** Names the bracket that was opened last and not closed before the place where it was missed. */
function unclosed(source: Source, pair: Pair, span: Span, found: IToken, brackets: Brackets): Diagnostic {
  const { open, last } = brackets.before(found.tokenType === EOF ? Infinity : found.startOffset);
  const opener = open.findLast((token) => token.tokenType === pair.open);
  const sign = labelOf(pair.open);
  // A declaration closes everything; an item leaves the braces of its adapter open.
  const stays = found.tokenType === EOF || t.declarationKeywords.includes(found.tokenType) ? 0 : 1;
  const text = closing(source, open.slice(stays), last);
  brackets.close(stays);
  const end = last === undefined ? span.end : last.startOffset + last.image.length;
  return error('A005', span, `${sign} is never closed`, {
    label: `expected ${labelOf(pair.close)} before ${describe(found)}`,
    related: opener === undefined ? [] : [{ span: spanOf(source, opener), label: 'opened here' }],
    ...(text === '' ? {} : { help: `close it with ${labelOf(pair.close)}` }),
    edits: [{ span: { file: source.file, start: end, end }, text }],
  });
}

function notADeclaration(span: Span, found: IToken): Diagnostic {
  const starts = t.declarationKeywords.map(labelOf).join(', ');
  const near = nearest(found.image, t.declarationKeywords.map(t.spelling));
  if (found.tokenType === t.From)
    return error('A006', span, '`from` does not start a declaration', {
      help: 'write `import "FILE"`: it makes all that the file declares known',
    });
  return error('A006', span, `${describe(found)} does not start a declaration`, {
    notes: [`a file holds declarations, which start with ${starts}`],
    help: tokenMatcher(found, t.RightBrace)
      ? 'take the brace away, or look for one too many above'
      : near && `did you mean \`${near}\`?`,
    edits: tokenMatcher(found, t.RightBrace)
      ? [{ span, text: '' }]
      : near === undefined
        ? []
        : [{ span, text: near }],
  });
}

const describe = (token: IToken): string =>
  token.tokenType === EOF
    ? 'the end of the file'
    : `\`${token.image.length > 30 ? `${token.image.slice(0, 27)}...` : token.image}\``;

const spanOf = (source: Source, token: IToken): Span => ({
  file: source.file,
  start: token.startOffset,
  end: token.startOffset + token.image.length,
});

function endOf(source: Source, tokens: readonly IToken[]): Span {
  const last = tokens.at(-1);
  const end = last === undefined ? source.text.length : last.startOffset + last.image.length;
  return { file: source.file, start: end, end };
}

/** Characters that start no token. */
export function lexicalError(source: Source, start: number, length: number): Diagnostic {
  const span = { file: source.file, start, end: start + Math.max(1, length) };
  const text = source.text.slice(span.start, span.end);
  const help: Readonly<Record<string, string>> = {
    ';': 'nothing needs a semicolon here',
    '/': 'comments start with `//`; there is no division',
  };
  return error('A001', span, `unexpected ${length > 1 ? 'characters' : 'character'} \`${text}\``, {
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
  return error('A001', span, `unexpected ${image.startsWith('#') ? 'character `#`' : 'characters `/*`'}`, {
    help: 'comments start with `//`, and end with their line',
    edits: alone || image.startsWith('#') ? [{ span, text }] : [],
  });
}

/** A string whose line ends before its quote. */
export function unterminatedString(span: Span, text: string): Diagnostic {
  const at = span.start + contentOf(text).length;
  return error('A002', span, 'the string is not closed', {
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

export const singleQuotes = (span: Span, text: string): Diagnostic =>
  error('A001', span, "unexpected character `'`", {
    help: 'strings are written with double quotes',
    edits: [{ span, text: JSON.stringify(text) }],
  });

/** `7Q`: a number with letters that mean nothing. */
export function unknownSuffix(span: Span, text: string, suffix: string): Diagnostic {
  const near = suffixMeant(suffix);
  const better = `${text.slice(0, -suffix.length)}${near ?? ''}`;
  return error('A004', span, `\`${suffix}\` is not a unit that can follow a number`, {
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

/** Nested so deeply that reading on would exhaust the stack. */
export const tooDeep = (span: Span): Diagnostic =>
  error('A007', span, 'values are nested too deeply', { label: 'more than 100 levels' });

/** A sum is a tree as deep as it is long. */
export const tooLong = (span: Span): Diagnostic =>
  error('A007', span, 'the sum is too long', { label: 'more than 1000 operators' });
