/**
 * The words and signs of the token table as a TextMate grammar, for VS Code and whoever else reads those. It is checked
 * in as `vscode/syntaxes/adapter.tmLanguage.json`; a test holds the file against this.
 */
import type { TokenType } from 'chevrotain';
import * as t from './tokens.ts';

/** One rule of a TextMate grammar. */
interface Rule {
  readonly name?: string;
  readonly match: string;
  readonly captures?: Readonly<
    Record<string, { readonly name?: string; readonly patterns?: readonly Rule[] }>
  >;
}

interface Grammar {
  readonly name: string;
  readonly scopeName: string;
  readonly fileTypes: readonly string[];
  readonly patterns: readonly Rule[];
}

const source = ({ PATTERN, name }: TokenType): string => (PATTERN instanceof RegExp ? PATTERN.source : name);

const oneOf = (types: readonly TokenType[]): string => `(?:${types.map(t.spelling).join('|')})`;

const keyword = `\\b${oneOf(t.keywords)}\\b`;
const word = source(t.Identifier);
const name = `(?!${keyword})${word}`;

/** A sign as a pattern: `+` and the like mean something there. */
const sign = (type: TokenType): string => t.spelling(type).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const comments: readonly Rule[] = [
  { name: 'comment.line.documentation.adapter', match: '///(?!/).*$' },
  { name: 'comment.line.double-slash.adapter', match: source(t.LineComment) },
];

const string: Rule = {
  name: 'string.quoted.double.adapter',
  match: source(t.StringToken),
  captures: { 0: { patterns: [{ name: 'constant.character.escape.adapter', match: '\\\\.' }] } },
};

/** `2 epochs` is a number and its unit, `batch = 2  epochs = 3` are two attributes. */
const number: Rule = {
  match: `(${source(t.NumberToken)})(?:[ \\t]+(${t.units.join('|')})\\b(?![ \\t]*=))?`,
  captures: { 1: { name: 'constant.numeric.adapter' }, 2: { name: 'keyword.other.unit.adapter' } },
};

/** A word after a single dot belongs to a path, whatever it is; so does a layer's number. */
const member: Rule = {
  match: `(?<!\\.)\\.(?!\\.)[ \\t]*(?:(${word})|([0-9]+))`,
  captures: { 1: { name: 'variable.other.member.adapter' }, 2: { name: 'constant.numeric.adapter' } },
};

const declared = (types: readonly TokenType[], what: string): Rule => ({
  match: `\\b(${oneOf(types)})[ \\t]+(${name})`,
  captures: { 1: { name: 'keyword.declaration.adapter' }, 2: { name: what } },
});

const named = t.declarationKeywords.filter((k) => k !== t.Import);

/** Two names in a row begin a part: its kind and its name. */
const part: Rule = {
  match: `(?<![.\\w])(${name})[ \\t]+(${name})\\b(?![ \\t]*[=:(])`,
  captures: { 1: { name: 'support.type.adapter' }, 2: { name: 'variable.other.readwrite.adapter' } },
};

const words: readonly Rule[] = [
  { name: 'variable.other.property.adapter', match: `\\b${word}(?=[ \\t]*=(?!=))` },
  { name: 'variable.parameter.adapter', match: `\\b${word}(?=[ \\t]*:)` },
  declared(named, 'entity.name.type.adapter'),
  declared(t.itemKeywords, 'entity.name.function.adapter'),
  part,
  { name: 'entity.name.function.call.adapter', match: `${name}(?=[ \\t]*\\()` },
  { name: 'keyword.other.adapter', match: keyword },
  { name: 'constant.language.adapter', match: '\\b(?:true|false|none|all)\\b' },
  { name: 'variable.other.adapter', match: word },
];

const operators = [
  t.EqualEqual,
  t.NotEqual,
  t.DotDot,
  t.StarStar,
  t.Equal,
  t.Plus,
  t.Minus,
  t.Ampersand,
  t.Star,
];

/** The whole grammar, as the JSON file has it. */
export const textmateGrammar = (): Grammar => ({
  name: 'Graft adapter',
  scopeName: 'source.adapter',
  fileTypes: ['adapter'],
  patterns: [
    ...comments,
    string,
    member,
    number,
    ...words,
    { name: 'keyword.operator.adapter', match: operators.map(sign).join('|') },
  ],
});
