/** What the parser found in the place of something else. */
import {
  EOF,
  tokenMatcher,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  type IToken,
  type TokenType,
} from 'chevrotain';
import { bracketPairs, closing, type Brackets, type Pair } from '../brackets.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { entry, onLlama } from '../entry.ts';
import { hintFor, isNextArgument, isUnit, slipAt } from '../hints.ts';
import type { Source, Span } from '../source.ts';
import { nearest } from '../suggest.ts';
import * as t from '../tokens.ts';

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
  base: '`{`, or `from` and a model',
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

export const A003 = entry({
  code: 'A003',
  severity: 'error',
  title: 'something else was expected here',
  text: `
    The parser knows what may come next and found something else. It goes on behind the mistake, so other mistakes are
    reported in the same run; of those on one line only the first is shown, because the rest usually follow from it.

    Attributes are written \`name = value\` and need no commas between them. Arguments of a call are written
    \`name: value\` and do. Words of the language, such as \`group\` and \`first\`, cannot be names.`,
  bad: onLlama('prompt words on layers { length 10 }'),
  good: onLlama('prompt words on layers { length = 10 }'),
});

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
  return A003.at(span, `expected ${expected}, found ${describe(found)}`, {
    label: `expected ${expected}`,
    ...hintFor(slip),
  });
}

export const A005 = entry({
  code: 'A005',
  severity: 'error',
  title: 'a bracket is never closed',
  text: `
    The next declaration or item began, or the file ended, before the bracket that was opened last was closed.`,
  bad: `
    import "bases.adapter"

    adapter Example on llama7b {
      prompt words on layers { length = 10

    param length = 10`,
  good: `
    import "bases.adapter"

    adapter Example on llama7b {
      prompt words on layers { length = 10 }
    }

    param length = 10`,
});

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
  return A005.at(span, `${sign} is never closed`, {
    label: `expected ${labelOf(pair.close)} before ${describe(found)}`,
    related: opener === undefined ? [] : [{ span: spanOf(source, opener), label: 'opened here' }],
    ...(text === '' ? {} : { help: `close it with ${labelOf(pair.close)}` }),
    edits: [{ span: { file: source.file, start: end, end }, text }],
  });
}

export const A006 = entry({
  code: 'A006',
  severity: 'error',
  title: 'not a declaration',
  text: `
    Outside of all braces a file holds declarations only. Each begins with one of the words import, base, param, data,
    adapter, recipe and sweep.`,
  bad: `
    adaptor Example on llama7b {}`,
  good: `
    import "bases.adapter"

    adapter Example on llama7b {}`,
});

function notADeclaration(span: Span, found: IToken): Diagnostic {
  const starts = t.declarationKeywords.map(labelOf).join(', ');
  const near = nearest(found.image, t.declarationKeywords.map(t.spelling));
  if (found.tokenType === t.From)
    return A006.at(span, '`from` does not start a declaration', {
      help: 'write `import "FILE"`: it makes all that the file declares known',
    });
  return A006.at(span, `${describe(found)} does not start a declaration`, {
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

export const A007 = entry({
  code: 'A007',
  severity: 'error',
  title: 'nested too deeply',
  text: `
    Values may be nested a hundred deep, in brackets or behind \`in\`, and so may params, groups and adapters that stand
    on one another; a sum may have a thousand terms. No spec needs more; a file that does is most likely not a spec.`,
  bad: `
    param length = ${'('.repeat(101)}1${')'.repeat(101)}`,
  good: `
    param length = (1)`,
});

/** Nested so deeply that reading on would exhaust the stack. */
export const tooDeep = (span: Span): Diagnostic =>
  A007.at(span, 'values are nested too deeply', { label: 'more than 100 levels' });

/** A sum is a tree as deep as it is long. */
export const tooLong = (span: Span): Diagnostic =>
  A007.at(span, 'the sum is too long', { label: 'more than 1000 operators' });
