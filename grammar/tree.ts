/** Chevrotain's concrete tree to ours. Whatever recovery left out becomes an empty name or a `missing` expression. */
import type { CstNode, IToken } from 'chevrotain';
import type { Comment, Condition, Declaration, Expression, Field, File, Item } from './ast.ts';
import {
  child,
  docAt,
  has,
  name,
  nameAfter,
  nodes,
  span,
  stringAfter,
  unquote,
  tokenSpan,
  written,
  type Context,
} from './concrete.ts';
import type { Diagnostic } from './diagnostic.ts';
import { expression } from './expressions.ts';
import type { Source } from './source.ts';

interface Built<T> {
  readonly value: T;
  readonly diagnostics: readonly Diagnostic[];
}

/** The tree of a file. */
export function buildFile(
  cst: CstNode | undefined,
  comments: readonly IToken[],
  source: Source,
): Built<File> {
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
    case 'base': {
      const from = stringAfter(c, node, 'fromModel');
      return { kind: 'base', name: name(c, node), from, fields: fields(c, child(node, 'block')), ...common };
    }
    case 'param':
    case 'data':
      return {
        kind: node.name,
        name: name(c, node),
        value: expression(c, child(node, 'expression'), at),
        ...common,
      };
    case 'adapter': {
      const base = nameAfter(c, node, 'onName');
      const parent = nameAfter(c, node, 'extendsName');
      const items = nodes(node, 'item').flatMap((n) => item(c, n) ?? []);
      return { kind: 'adapter', name: name(c, node), base, parent, items, ...common };
    }
    case 'recipe': {
      const adapter = name(c, node, 'Identifier', 1);
      return {
        kind: 'recipe',
        name: name(c, node),
        adapter,
        fields: fields(c, child(node, 'block')),
        ...common,
      };
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
      return {
        kind: 'group',
        name: name(c, node),
        value: expression(c, child(node, 'expression'), at),
        ...common,
      };
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
    return {
      kind: 'field',
      name: name(c, node, 'Word'),
      value: expression(c, child(node, 'expression'), at),
      span: at,
    };
  });
}
