/** The words and signs of the language: the only list of them, read by the lexer, the parser and the highlighter. */
import { createToken, Lexer, type TokenType } from 'chevrotain';

/** Anything that is spelled like a name. Attributes and the later segments of a path may be keywords. */
export const Word = createToken({ name: 'Word', pattern: Lexer.NA });

export const Identifier = createToken({
  name: 'Identifier',
  label: 'a name',
  pattern: /[A-Za-z_][A-Za-z0-9_]*/,
  categories: [Word],
});

const keyword = (text: string): TokenType =>
  createToken({
    name: text[0]?.toUpperCase() + text.slice(1),
    label: `\`${text}\``,
    pattern: text,
    longer_alt: Identifier,
    categories: [Word],
  });

export const Import = keyword('import');
export const Base = keyword('base');
export const Param = keyword('param');
export const Data = keyword('data');
export const Adapter = keyword('adapter');
export const Recipe = keyword('recipe');
export const Sweep = keyword('sweep');
export const Group = keyword('group');
export const Task = keyword('task');
export const Expert = keyword('expert');
export const Override = keyword('override');
export const Drop = keyword('drop');
export const On = keyword('on');
export const From = keyword('from');
export const Extends = keyword('extends');
export const Trains = keyword('trains');
export const For = keyword('for');
export const Over = keyword('over');
export const With = keyword('with');
export const Where = keyword('where');
export const First = keyword('first');
export const Last = keyword('last');
export const Every = keyword('every');
export const In = keyword('in');
export const By = keyword('by');

/** How a keyword is written. */
export const spelling = ({ PATTERN, name }: TokenType): string =>
  typeof PATTERN === 'string' ? PATTERN : name;

/** Words that start a declaration, and words that start an item of an adapter. */
export const declarationKeywords: readonly TokenType[] = [Import, Base, Param, Data, Adapter, Recipe, Sweep];
export const itemKeywords: readonly TokenType[] = [Group, Task, Expert, Override, Drop];
export const keywords: readonly TokenType[] = [
  ...declarationKeywords,
  ...itemKeywords,
  ...[On, From, Extends, Trains, For, Over, With, Where, First, Last, Every, In, By],
];

const sign = (name: string, text: string): TokenType =>
  createToken({ name, label: `\`${text}\``, pattern: text });

export const LeftBrace = sign('LeftBrace', '{');
export const RightBrace = sign('RightBrace', '}');
export const LeftParen = sign('LeftParen', '(');
export const RightParen = sign('RightParen', ')');
export const LeftBracket = sign('LeftBracket', '[');
export const RightBracket = sign('RightBracket', ']');
export const Comma = sign('Comma', ',');
export const Colon = sign('Colon', ':');
export const DotDot = sign('DotDot', '..');
export const Dot = sign('Dot', '.');
export const EqualEqual = sign('EqualEqual', '==');
export const NotEqual = sign('NotEqual', '!=');
export const Equal = sign('Equal', '=');
export const Plus = sign('Plus', '+');
export const Minus = sign('Minus', '-');
export const Ampersand = sign('Ampersand', '&');
export const StarStar = sign('StarStar', '**');
export const Star = sign('Star', '*');

/** Digits with a suffix, known or not: `567k`, `5%`, `512MiB`, `3e-4`. The tree builder knows the suffixes. */
export const NumberToken = createToken({
  name: 'Number',
  label: 'a number',
  pattern: /[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?:%|[A-Za-z]\w*)?/,
});

/**
 * A string ends at its quote or, when that is missing, at the end of the line. Single quotes are read too, so that the
 * tree builder can say that they are double ones here.
 */
export const StringToken = createToken({
  name: 'String',
  label: 'a string',
  pattern: /"(?:[^"\\\n\r]|\\[^\n\r])*"?|'[^'\n\r]*'?/,
  line_breaks: false,
});

export const LineComment = createToken({ name: 'Comment', pattern: /\/\/[^\n\r]*/, group: 'comments' });
/** Comments of other languages, read so that the checker can say how they are written here. */
const ForeignComment = createToken({
  name: 'ForeignComment',
  pattern: /#[^\n\r]*|\/\*[^]*?\*\//,
  group: 'foreign',
  line_breaks: true,
});
const WhiteSpace = createToken({
  name: 'WhiteSpace',
  pattern: /\s+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
});

const signs = [
  ...[LeftBrace, RightBrace, LeftParen, RightParen, LeftBracket, RightBracket, Comma, Colon, DotDot, Dot],
  ...[EqualEqual, NotEqual, Equal, Plus, Minus, Ampersand, StarStar, Star],
];

/** In the order in which the lexer tries them. */
export const tokens: TokenType[] = [
  WhiteSpace,
  LineComment,
  ForeignComment,
  NumberToken,
  StringToken,
  ...keywords,
  Identifier,
  ...signs,
  Word,
];

/** What a number's suffix multiplies it by. */
export const suffixes: Readonly<Record<string, number>> = {
  '%': 0.01,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  B: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Units that may follow a number as a word of their own. */
export const units: readonly string[] = ['epochs', 'epoch', 'steps', 'step'];
