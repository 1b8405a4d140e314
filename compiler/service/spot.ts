/** What lies at a place of a file: the nodes of its tree around an offset. */
import type { Argument, Call, Declaration, Expression, Field, File, Item } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';

/** What an expression is read as. */
export type Role = 'place' | 'members' | 'value' | 'layers';

export interface Spot {
  readonly declaration: Declaration | null;
  readonly item: Item | null;
  /** The attribute whose name or value it is. */
  readonly field: Field | null;
  readonly role: Role | null;
  /** From the outside in. */
  readonly expressions: readonly Expression[];
  /** Calls around it, with the argument it is in, from the outside in. */
  readonly calls: readonly { readonly call: Call; readonly argument: Argument | null }[];
}

/** Whether a span holds an offset; its end counts, since that is where a cursor stands after typing a word. */
export const holds = (span: Span, offset: number): boolean => span.start <= offset && offset <= span.end;

/** Of those that hold the offset the last: between two that touch, the one that begins there. */
const holding = <T extends { readonly span: Span }>(nodes: readonly T[], offset: number): T | null =>
  nodes.findLast((n) => holds(n.span, offset)) ?? null;

/** The nodes around an offset. */
export function spotAt(file: File, offset: number): Spot {
  const declaration = holding(file.declarations, offset);
  const item = declaration?.kind === 'adapter' ? holding(declaration.items, offset) : null;
  const node = item ?? declaration;
  const field = node !== null && 'fields' in node ? holding(node.fields, offset) : null;
  const roots = field !== null ? [{ e: field.value, role: 'value' as const }] : rootsOf(node);
  const root = roots.findLast(({ e }) => holds(e.span, offset));
  const expressions: Expression[] = [];
  const calls: { call: Call; argument: Argument | null }[] = [];
  for (let e = root?.e; e !== undefined; e = childrenOf(e).findLast((c) => holds(c.span, offset))) {
    expressions.push(e);
    if (e.kind === 'call') calls.push({ call: e, argument: holding(e.arguments, offset) });
  }
  const role = root === undefined ? null : declaration?.kind === 'sweep' ? 'layers' : root.role;
  return { declaration, item, field, role, expressions, calls };
}

interface Root {
  readonly e: Expression;
  readonly role: Role;
}

function rootsOf(node: Declaration | Item | null): Root[] {
  const root = (e: Expression | null, role: Role): Root[] => (e === null ? [] : [{ e, role }]);
  switch (node?.kind) {
    case 'param':
      return root(node.value, 'layers');
    case 'data':
      return root(node.value, 'value');
    case 'sweep':
      return node.conditions.flatMap((c) => [...root(c.left, 'layers'), ...root(c.right, 'layers')]);
    case 'part':
      return root(node.on, 'place');
    case 'group':
      return root(node.value, 'members');
    case 'task':
      return root(node.trains, 'members');
    case 'override':
      return [...root(node.value, 'members'), ...root(node.on, 'place'), ...root(node.trains, 'members')];
    default:
      return [];
  }
}

/** The expressions right inside of one. */
export function childrenOf(e: Expression): Expression[] {
  switch (e.kind) {
    case 'path':
      return e.segments.flatMap((s) => (s.kind === 'name' && s.index !== null ? [s.index] : []));
    case 'call':
      return e.arguments.map((a) => a.value);
    case 'list':
      return [...e.items];
    case 'range':
      return [e.from, e.to, ...(e.by === null ? [] : [e.by])];
    case 'edge':
      return [e.count, ...(e.within === null ? [] : [e.within])];
    case 'every':
      return e.within === null ? [] : [e.within];
    case 'binary':
      return [e.left, e.right];
    case 'number':
    case 'string':
    case 'missing':
      return [];
  }
}
