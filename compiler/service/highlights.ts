/**
 * Semantic tokens: every token of a file and what it is there. Editors with a grammar for colours get the names from
 * this, editors without one get everything.
 */
import type { IToken } from 'chevrotain';
import type { Declaration, Expression, Item, Path } from '../../grammar/ast.ts';
import { lex } from '../../grammar/parser.ts';
import * as t from '../../grammar/tokens.ts';
import type { Named } from './names.ts';
import { childrenOf } from './spot.ts';
import { ownFile, type Workspace } from './workspace.ts';

/** Names of the language server protocol, for which themes have colours. */
export const highlightTypes = [
  ...(['keyword', 'comment', 'string', 'number', 'operator'] as const),
  ...(['type', 'class', 'function', 'variable', 'parameter', 'property', 'enumMember', 'namespace'] as const),
];
export const highlightModifiers = ['declaration', 'documentation'] as const;

type HighlightType = (typeof highlightTypes)[number];

export interface Highlight {
  readonly start: number;
  readonly length: number;
  readonly type: HighlightType;
  readonly modifier: (typeof highlightModifiers)[number] | null;
}

type Meaning = Pick<Highlight, 'type' | 'modifier'>;

/** The highlights of a file in order. */
export function highlights(workspace: Workspace, path: string): readonly Highlight[] {
  const text = workspace.host.readFile(path) ?? '';
  const meanings = meaningsIn(workspace, path);
  const { tokens, comments } = lex(text);
  const one = (token: IToken, meaning: Meaning | null): Highlight[] =>
    meaning === null ? [] : [{ start: token.startOffset, length: token.image.length, ...meaning }];
  return [
    ...comments.flatMap((c) =>
      one(c, { type: 'comment', modifier: /^\/\/\/(?!\/)/.test(c.image) ? 'documentation' : null }),
    ),
    ...tokens.flatMap((k) => one(k, meanings.get(k.startOffset) ?? lexical(k))),
  ].sort((a, b) => a.start - b.start);
}

/** Operators; brackets and the like have no colour of their own. */
const operators: readonly unknown[] = [
  ...[t.Equal, t.EqualEqual, t.NotEqual, t.Plus, t.Minus, t.Ampersand, t.DotDot, t.Star, t.StarStar],
];

function lexical({ tokenType }: IToken): Meaning | null {
  const type: HighlightType | null = t.keywords.includes(tokenType)
    ? 'keyword'
    : tokenType === t.StringToken
      ? 'string'
      : tokenType === t.NumberToken
        ? 'number'
        : operators.includes(tokenType)
          ? 'operator'
          : null;
  return type === null ? null : { type, modifier: null };
}

const named: Readonly<Record<Named['kind'], HighlightType>> = {
  ...({ base: 'class', adapter: 'class', recipe: 'function', sweep: 'function' } as const),
  ...({ param: 'parameter', data: 'variable' } as const),
  ...({ part: 'variable', group: 'variable', task: 'function', expert: 'function' } as const),
};

/** What words mean by where they stand, by offset. */
function meaningsIn(workspace: Workspace, path: string): ReadonlyMap<number, Meaning> {
  const found = new Map<number, Meaning>();
  const view = workspace.analysis(path);
  if (view === null) return found;
  const mark: Mark = (start, type) => found.set(start, { type, modifier: null });
  for (const d of ownFile(view)?.declarations ?? []) {
    markNode(d, mark);
    if (d.kind === 'adapter') for (const item of d.items) markNode(item, mark);
  }
  for (const { span, named: it, declares } of view.names().occurrences)
    if (span.file === path)
      found.set(span.start, { type: named[it.kind], modifier: declares ? 'declaration' : null });
  return found;
}

type Mark = (start: number, type: HighlightType) => unknown;

function markNode(node: Declaration | Item, mark: Mark): void {
  if (node.kind === 'part') mark(node.type.span.start, 'type');
  const words = (e: Expression | null, type: HighlightType): void => {
    if (e !== null) markWords(e, type, mark);
  };
  if ('value' in node)
    words(node.value, node.kind === 'group' || node.kind === 'override' ? 'property' : 'enumMember');
  if ('on' in node) words(node.on, 'namespace');
  if ('trains' in node) words(node.trains, 'property');
  for (const field of 'fields' in node ? node.fields : []) {
    mark(field.name.span.start, 'property');
    words(field.value, 'enumMember');
  }
  for (const c of node.kind === 'sweep' ? node.conditions : [])
    for (const e of [c.left, c.right]) words(e, 'enumMember');
}

/** Words of an expression that are no names: `type` is what they are in it. */
function markWords(e: Expression, type: HighlightType, mark: Mark): void {
  if (e.kind === 'path') markPath(e, type, mark);
  if (e.kind === 'every') mark(e.what.span.start, 'enumMember');
  if (e.kind === 'call') {
    mark(e.name.span.start, 'function');
    for (const { name } of e.arguments) if (name !== null) mark(name.span.start, 'property');
  }
  if (e.kind === 'number' && e.unit !== null) mark(e.unit.span.start, 'keyword');
  for (const child of childrenOf(e)) markWords(child, e.kind === 'path' ? 'enumMember' : type, mark);
}

function markPath(e: Path, type: HighlightType, mark: Mark): void {
  for (const s of e.segments) {
    if (s.kind === 'name' && !/^[0-9]/.test(s.name.text) && s.name.text !== 'base')
      mark(s.name.span.start, type);
    if (s.kind === 'choice') for (const name of s.names) mark(name.span.start, type);
  }
}
