/** Concrete trees of expressions to ours. */
import type { CstNode } from 'chevrotain';
import type { Argument, Expression, Name, NumberLiteral, Segment } from './ast.ts';
import {
  child,
  has,
  name,
  nodes,
  span,
  toName,
  tokenSpan,
  unquote,
  written,
  type Context,
} from './concrete.ts';
import { unknownSuffix } from './diagnostics/characters.ts';
import { tooLong } from './diagnostics/structure.ts';
import { cover, type Span } from './source.ts';
import { suffixes } from './tokens.ts';

/** A sum is a tree as deep as it is long, and whoever reads it recurses. */
const MAX_TERMS = 1000;

/** An expression; `missing`, at `near`, when recovery left none. */
export function expression(c: Context, node: CstNode | undefined, near: Span): Expression {
  const [head, ...rest] = nodes(node, 'term');
  if (node === undefined || head === undefined) return { kind: 'missing', span: near };
  if (rest.length > MAX_TERMS) {
    c.diagnostics.push(tooLong(span(c, node)));
    return { kind: 'missing', span: near };
  }
  const operators = [...written(node, 'Plus'), ...written(node, 'Minus'), ...written(node, 'Ampersand')].sort(
    (a, b) => a.startOffset - b.startOffset,
  );
  return rest.reduce<Expression>(
    (left, right, i) => {
      const image = operators[i]?.image;
      const operator = image === '-' || image === '&' ? image : '+';
      const value = term(c, right);
      return { kind: 'binary', operator, left, right: value, span: cover(left.span, value.span) };
    },
    term(c, head),
  );
}

function term(c: Context, node: CstNode): Expression {
  const at = span(c, node);
  const string = written(node, 'String')[0];
  if (string !== undefined) {
    return { kind: 'string', value: unquote(c, string), text: string.image, span: at };
  }
  const inner = Object.values(node.children)
    .flat()
    .find((e): e is CstNode => 'children' in e);
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
      return {
        kind: 'call',
        name: name(c, inner),
        arguments: nodes(inner, 'argument').map((n) => argument(c, n)),
        span: at,
      };
    case 'path':
      return path(c, inner);
    default:
      return { kind: 'missing', span: at };
  }
}

function argument(c: Context, node: CstNode): Argument {
  const at = span(c, node);
  return {
    name: has(node, 'Word') ? name(c, node, 'Word') : null,
    value: expression(c, child(node, 'expression'), at),
    span: at,
  };
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
    counted !== undefined
      ? literal(c, counted)
      : token !== undefined
        ? nameAsPath(toName(c, token))
        : { kind: 'missing', span: at };
  return {
    kind: 'edge',
    end: has(node, 'First') ? 'first' : 'last',
    count,
    within: within(c, node),
    span: at,
  };
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
  return {
    kind: 'number',
    value: numberValue(c, text, at),
    text,
    unit: unit === undefined ? null : toName(c, unit),
    span: at,
  };
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
  return {
    kind: 'path',
    segments: [...first, ...nodes(node, 'segment').flatMap((n) => segmentOf(c, n))],
    span: at,
  };
}

/** A path's head and its later segments hold the same children, less the dot. */
function segmentOf(c: Context, node: CstNode): Segment[] {
  const words = ['Identifier', 'Base', 'Word', 'Number']
    .flatMap((type) => written(node, type))
    .map((x) => toName(c, x));
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
  return [
    {
      kind: 'name',
      name: head,
      index: expression(c, child(index, 'expression'), at),
      span: cover(head.span, at),
    },
  ];
}
