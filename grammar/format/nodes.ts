/** The tree as the formatter walks it: what contains what, in the order of the text. */
import type {
  Argument,
  Binary,
  Condition,
  Declaration,
  Expression,
  Field,
  File,
  Item,
  SweepDeclaration,
} from '../ast.ts';

/** Anything that may contain a comment. */
export type Node = File | Declaration | Item | Field | Condition | Expression | Argument;

/** What stands in the braces of a base, recipe, part, task or sweep. */
export type Entry = Field | Condition;

/** Whether an expression stands in brackets; they belong to its span. */
export const isBracketed = (e: Expression, text: string): boolean =>
  e.kind === 'binary' ? e.span.start < e.left.span.start : text[e.span.start] === '(';

/** What a sum adds up, and with which operator; the first has none. */
export interface Operand {
  readonly operator: string;
  readonly value: Expression;
}

/** `a + b - c` as a, + b, - c: as far as no brackets group it. */
export function operandsOf(e: Binary): readonly Operand[] {
  const out: Operand[] = [{ operator: e.operator, value: e.right }];
  let left = e.left;
  while (left.kind === 'binary' && left.span.start === left.left.span.start) {
    out.push({ operator: left.operator, value: left.right });
    left = left.left;
  }
  return [...out, { operator: '', value: left }].reverse();
}

/** Attributes and conditions of a sweep in the order in which they are written. */
export const sweepEntries = (d: SweepDeclaration): readonly Entry[] =>
  [...d.fields, ...d.conditions].sort((a, b) => a.span.start - b.span.start);

const present = (...nodes: readonly (Expression | null)[]): Expression[] => nodes.filter((n) => n !== null);

/** What stands inside a node, in the order of the text. */
export function childrenOf(node: Node): readonly Node[] {
  if (!('kind' in node)) return [node.value];
  switch (node.kind) {
    case 'file':
      return node.declarations;
    case 'adapter':
      return node.items;
    case 'base':
    case 'recipe':
    case 'expert':
      return node.fields;
    case 'sweep':
      return sweepEntries(node);
    case 'part':
      return [...present(node.on), ...node.fields];
    case 'task':
      return [node.trains, ...node.fields];
    case 'override':
      return [...present(node.value, node.on, node.trains), ...node.fields];
    case 'param':
    case 'data':
    case 'group':
    case 'field':
      return [node.value];
    case 'condition':
      return [node.left, node.right];
    case 'path':
      return node.segments.flatMap((s) => (s.kind === 'name' && s.index !== null ? [s.index] : []));
    case 'call':
      return node.arguments;
    case 'list':
      return node.items;
    case 'edge':
    case 'every':
      return present(node.within);
    case 'binary':
      return operandsOf(node).map((o) => o.value);
    case 'range':
    case 'import':
    case 'drop':
    case 'number':
    case 'string':
    case 'missing':
      return [];
  }
}

/** Whether a child begins a line of its own when its parent is written over several. */
export function startsLine(parent: Node, child: Node): boolean {
  if (!('kind' in parent)) return false;
  switch (parent.kind) {
    case 'file':
    case 'adapter':
    case 'list':
    case 'call':
    case 'binary':
      return true;
    default:
      return 'kind' in child && (child.kind === 'field' || child.kind === 'condition');
  }
}

/** A file, and what may have braces with entries in them. */
export type Holder = Extract<
  Node,
  { fields: unknown } | { items: unknown; name: unknown } | { declarations: unknown }
>;

export const isHolder = (node: Node): node is Holder =>
  'fields' in node || 'declarations' in node || ('kind' in node && node.kind === 'adapter');
