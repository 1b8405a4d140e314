/** Chevrotain's concrete tree to ours. Whatever recovery left out becomes an empty name or a `missing` expression. */
import type { CstNode, IToken } from 'chevrotain';
import type {
  Argument,
  Comment,
  Condition,
  Declaration,
  Expression,
  Field,
  File,
  Item,
  Name,
  NumberLiteral,
  Segment,
} from './ast.ts';
import type { Diagnostic } from './diagnostic.ts';
import { singleQuotes, tooDeep, unknownSuffix, unterminatedString } from './messages.ts';
import { cover, type Source, type Span } from './source.ts';
import { suffixes } from './tokens.ts';

interface Context {
  readonly source: Source;
  readonly comments: readonly Comment[];
  readonly diagnostics: Diagnostic[];
}

interface Built<T> {
  readonly value: T;
  readonly diagnostics: readonly Diagnostic[];
}

/** The tree of a file. */
export function buildFile(cst: CstNode | undefined, comments: readonly IToken[], source: Source): Built<File> {
  const diagnostics: Diagnostic[] = [];
  const read = comments.map((token): Comment => {
    const span = { file: source.file, start: token.startOffset, end: token.startOffset + token.image.length };
    return { kind: 'comment', text: token.image, doc: /^\/\/\/(?!\/)/.test(token.image), span };
  });
  const c: Context = { source, comments: read, diagnostics };
  const declarations = nodes(cst, 'declaration').flatMap((n) => declaration(c, n) ?? []);
  const span = { file: source.file, start: 0, end: source.text.length };
  return { value: { kind: 'file', file: source.file, declarations, comments: read, span }, diagnostics };
}

/** The tree of the rule `value`: one expression. */
export function buildExpression(cst: CstNode | undefined, source: Source): Built<Expression> {
  const diagnostics: Diagnostic[] = [];
  const c: Context = { source, comments: [], diagnostics };
  return { value: expression(c, child(cst, 'expression'), span(c, cst)), diagnostics };
}

// Reading the concrete tree: every child may be absent after a recovery.

function nodes(node: CstNode | undefined, rule: string): CstNode[] {
  return (node?.children[rule] ?? []).filter((e): e is CstNode => 'children' in e);
}

const child = (node: CstNode | undefined, rule: string, index = 0): CstNode | undefined => nodes(node, rule)[index];

/** Tokens the user wrote; those that recovery invented have no place and are left out. */
function written(node: CstNode | undefined, type: string): IToken[] {
  return (node?.children[type] ?? []).filter((e): e is IToken => 'image' in e && !Number.isNaN(e.startOffset));
}

const has = (node: CstNode | undefined, type: string): boolean => written(node, type).length > 0;

function span(c: Context, node: CstNode | undefined): Span {
  const at = node?.location;
  const start = at === undefined || Number.isNaN(at.startOffset) ? 0 : at.startOffset;
  const end = at?.endOffset === undefined || Number.isNaN(at.endOffset) ? start : at.endOffset + 1;
  return { file: c.source.file, start, end: Math.max(start, end) };
}

const tokenSpan = (c: Context, token: IToken): Span => ({
  file: c.source.file,
  start: token.startOffset,
  end: token.startOffset + token.image.length,
});

const toName = (c: Context, token: IToken): Name => ({ text: token.image, span: tokenSpan(c, token) });

/** The index-th name of a node; an empty one stands for a name that is missing and was complained about. */
function name(c: Context, node: CstNode | undefined, type = 'Identifier', index = 0): Name {
  const token = written(node, type)[index];
  return token === undefined ? { text: '', span: span(c, node) } : toName(c, token);
}

/** `on NAME`, `from NAME`, `extends NAME`, when it is there. */
function nameAfter(c: Context, node: CstNode | undefined, rule: string): Name | null {
  const inner = child(node, rule);
  return inner === undefined || !has(inner, 'Identifier') ? null : name(c, inner);
}

function unquote(c: Context, token: IToken): string {
  const text = token.image;
  if (text.startsWith("'")) {
    const inner = text.replace(/^'|'$/g, '');
    c.diagnostics.push(singleQuotes(tokenSpan(c, token), inner));
    return inner;
  }
  const closed = text.length > 1 && text.endsWith('"') && !/[^\\](\\\\)*\\"$/.test(text);
  if (!closed) c.diagnostics.push(unterminatedString(tokenSpan(c, token)));
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t' };
  return text.slice(1, closed ? -1 : undefined).replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
}

/** The `///` lines that end right above a place, without their slashes. */
function docAt(c: Context, start: number): string {
  const lines: string[] = [];
  let below = start;
  for (let i = c.comments.length - 1; i >= 0; i--) {
    const comment = c.comments[i];
    if (comment === undefined || comment.span.end > below) continue;
    if (!comment.doc || !/^[ \t]*\r?\n[ \t]*$/.test(c.source.text.slice(comment.span.end, below))) break;
    lines.unshift(comment.text.replace(/^\/\/\/ ?/, ''));
    below = comment.span.start;
  }
  return lines.join('\n');
}

function declaration(c: Context, wrapper: CstNode): Declaration | null {
  const node = Object.values(wrapper.children).flat()[0];
  if (node === undefined || !('children' in node)) return null;
  const at = span(c, node);
  const common = { doc: docAt(c, at.start), span: at };
  switch (node.name) {
    case 'importDeclaration': {
      const token = written(node, 'String')[0];
      if (token === undefined) return null;
      return { kind: 'import', path: unquote(c, token), pathSpan: tokenSpan(c, token), ...common };
    }
    case 'base':
      return { kind: 'base', name: name(c, node), fields: fields(c, child(node, 'block')), ...common };
    case 'param':
    case 'data':
      return { kind: node.name, name: name(c, node), value: expression(c, child(node, 'expression'), at), ...common };
    case 'adapter': {
      const base = nameAfter(c, node, 'onName');
      const parent = nameAfter(c, node, 'extendsName');
      const items = nodes(node, 'item').flatMap((n) => item(c, n) ?? []);
      return { kind: 'adapter', name: name(c, node), base, parent, items, ...common };
    }
    case 'recipe': {
      const adapter = name(c, node, 'Identifier', 1);
      return { kind: 'recipe', name: name(c, node), adapter, fields: fields(c, child(node, 'block')), ...common };
    }
    case 'sweep':
      return {
        kind: 'sweep',
        name: name(c, node),
        adapter: name(c, node, 'Identifier', 1),
        recipe: name(c, node, 'Identifier', 2),
        fields: fields(c, node),
        conditions: nodes(node, 'condition').map((n) => condition(c, n)),
        ...common,
      };
    default:
      return null;
  }
}

function condition(c: Context, node: CstNode): Condition {
  const at = span(c, node);
  return {
    kind: 'condition',
    operator: has(node, 'NotEqual') ? '!=' : '==',
    left: expression(c, child(node, 'expression'), at),
    right: expression(c, child(node, 'expression', 1), at),
    span: at,
  };
}

function item(c: Context, wrapper: CstNode): Item | null {
  const node = Object.values(wrapper.children).flat()[0];
  if (node === undefined || !('children' in node)) return null;
  const at = span(c, node);
  const common = { doc: docAt(c, at.start), span: at };
  const block = fields(c, child(node, 'block'));
  const inside = (rule: string): Expression | null => {
    const inner = child(node, rule);
    return inner === undefined ? null : expression(c, child(inner, 'expression'), span(c, inner));
  };
  switch (node.name) {
    case 'part': {
      const from = nameAfter(c, node, 'fromName');
      const named = { type: name(c, node), name: name(c, node, 'Identifier', 1) };
      return { kind: 'part', ...named, on: inside('on'), from, fields: block, ...common };
    }
    case 'group':
      return { kind: 'group', name: name(c, node), value: expression(c, child(node, 'expression'), at), ...common };
    case 'task': {
      const data = nameAfter(c, node, 'onName') ?? { text: '', span: at };
      const trains = inside('trains') ?? { kind: 'missing', span: at };
      return { kind: 'task', name: name(c, node), data, trains, fields: block, ...common };
    }
    case 'expert':
      return { kind: 'expert', name: name(c, node), fields: block, ...common };
    case 'override': {
      const equal = child(node, 'expression');
      const value = equal === undefined ? null : expression(c, equal, at);
      const changes = { on: inside('on'), from: nameAfter(c, node, 'fromName'), trains: inside('trains') };
      return { kind: 'override', name: name(c, node), value, ...changes, fields: block, ...common };
    }
    case 'drop':
      return { kind: 'drop', name: name(c, node), ...common };
    default:
      return null;
  }
}

function fields(c: Context, block: CstNode | undefined): Field[] {
  return nodes(block, 'field').map((node) => {
    const at = span(c, node);
    return { kind: 'field', name: name(c, node, 'Word'), value: expression(c, child(node, 'expression'), at), span: at };
  });
}

/** A sum is a tree as deep as it is long, and whoever reads it recurses. */
const MAX_TERMS = 1000;

function expression(c: Context, node: CstNode | undefined, near: Span): Expression {
  const [head, ...rest] = nodes(node, 'term');
  if (node === undefined || head === undefined) return { kind: 'missing', span: near };
  if (rest.length > MAX_TERMS) {
    c.diagnostics.push(tooDeep(span(c, node)));
    return { kind: 'missing', span: near };
  }
  const operators = [...written(node, 'Plus'), ...written(node, 'Minus'), ...written(node, 'Ampersand')].sort(
    (a, b) => a.startOffset - b.startOffset,
  );
  return rest.reduce<Expression>((left, right, i) => {
    const image = operators[i]?.image;
    const operator = image === '-' || image === '&' ? image : '+';
    const value = term(c, right);
    return { kind: 'binary', operator, left, right: value, span: cover(left.span, value.span) };
  }, term(c, head));
}

function term(c: Context, node: CstNode): Expression {
  const at = span(c, node);
  const string = written(node, 'String')[0];
  if (string !== undefined) return { kind: 'string', value: unquote(c, string), span: at };
  const inner = Object.values(node.children).flat().find((e): e is CstNode => 'children' in e);
  switch (inner?.name) {
    case 'expression': {
      // Brackets belong to the span, so that a fix replaces them too.
      return { ...expression(c, inner, at), span: at };
    }
    case 'number':
      return numberOrRange(c, inner);
    case 'edge':
      return edge(c, inner);
    case 'every':
      return { kind: 'every', what: name(c, inner), within: within(c, inner), span: at };
    case 'list':
      return { kind: 'list', items: nodes(inner, 'expression').map((n) => expression(c, n, at)), span: at };
    case 'call':
      return { kind: 'call', name: name(c, inner), arguments: nodes(inner, 'argument').map((n) => argument(c, n)), span: at };
    case 'path':
      return path(c, inner);
    default:
      return { kind: 'missing', span: at };
  }
}

function argument(c: Context, node: CstNode): Argument {
  const at = span(c, node);
  return { name: has(node, 'Word') ? name(c, node, 'Word') : null, value: expression(c, child(node, 'expression'), at), span: at };
}

function within(c: Context, node: CstNode): Expression | null {
  const inner = child(child(node, 'within'), 'term');
  return inner === undefined ? null : term(c, inner);
}

function edge(c: Context, node: CstNode): Expression {
  const at = span(c, node);
  const counted = child(node, 'literal');
  const token = written(node, 'Identifier')[0];
  const count: Expression =
    counted !== undefined ? literal(c, counted) : token !== undefined ? nameAsPath(toName(c, token)) : { kind: 'missing', span: at };
  return { kind: 'edge', end: has(node, 'First') ? 'first' : 'last', count, within: within(c, node), span: at };
}

const nameAsPath = (it: Name): Expression => ({
  kind: 'path',
  segments: [{ kind: 'name', name: it, index: null, span: it.span }],
  span: it.span,
});

function numberOrRange(c: Context, node: CstNode): Expression {
  const [first, second, third] = nodes(node, 'literal').map((n) => literal(c, n));
  const at = span(c, node);
  if (first === undefined) return { kind: 'missing', span: at };
  if (second === undefined) return first;
  return { kind: 'range', from: first, to: second, by: third ?? null, span: at };
}

function literal(c: Context, node: CstNode): NumberLiteral {
  const at = span(c, node);
  const token = written(node, 'Number')[0];
  const unit = written(node, 'Identifier')[0];
  const text = `${has(node, 'Minus') ? '-' : ''}${token?.image ?? ''}`;
  return { kind: 'number', value: numberValue(c, text, at), text, unit: unit === undefined ? null : toName(c, unit), span: at };
}

function numberValue(c: Context, text: string, at: Span): number {
  const match = /^(-?[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(.*)$/.exec(text);
  if (match === null) return 0;
  const digits = Number((match[1] ?? '0').replaceAll('_', ''));
  const suffix = match[2] ?? '';
  if (suffix === '') return digits;
  if (suffix === '%') return digits / 100;
  const factor = Object.hasOwn(suffixes, suffix) ? suffixes[suffix] : undefined;
  if (factor === undefined) c.diagnostics.push(unknownSuffix(at, text, suffix));
  return digits * (factor ?? 1);
}

function path(c: Context, node: CstNode): Expression {
  const at = span(c, node);
  const first = segmentOf(c, node);
  return { kind: 'path', segments: [...first, ...nodes(node, 'segment').flatMap((n) => segmentOf(c, n))], span: at };
}

/** A path's head and its later segments hold the same children, less the dot. */
function segmentOf(c: Context, node: CstNode): Segment[] {
  const words = ['Identifier', 'Base', 'Word', 'Number'].flatMap((type) => written(node, type)).map((x) => toName(c, x));
  const [head] = words;
  const stars = written(node, 'Star')[0];
  const many = written(node, 'StarStar')[0];
  if (has(node, 'LeftBrace')) return [{ kind: 'choice', names: words, span: span(c, node) }];
  if (many !== undefined) return [{ kind: 'any', span: tokenSpan(c, many) }];
  if (stars !== undefined) return [{ kind: 'one', span: tokenSpan(c, stars) }];
  if (head === undefined) return [];
  const index = child(node, 'index');
  if (index === undefined) return [{ kind: 'name', name: head, index: null, span: head.span }];
  const at = span(c, index);
  return [{ kind: 'name', name: head, index: expression(c, child(index, 'expression'), at), span: cover(head.span, at) }];
}
