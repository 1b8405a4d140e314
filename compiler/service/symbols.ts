/** The outline of a file: its declarations, and the items of its adapters. */
import type { Declaration, File, Item } from '../../grammar/ast.ts';
import { printExpression } from '../../grammar/print.ts';
import type { Span } from '../../grammar/source.ts';
import type { Workspace } from './workspace.ts';

export interface OutlineSymbol {
  readonly name: string;
  readonly kind: Exclude<Declaration['kind'], 'import'> | Item['kind'];
  /** A few words beside the name. */
  readonly detail: string;
  readonly span: Span;
  /** The name itself. */
  readonly at: Span;
  readonly children: readonly OutlineSymbol[];
}

/** The symbols of one file; those whose name is not written yet are left out. */
export function outline(workspace: Workspace, path: string): readonly OutlineSymbol[] {
  const file = workspace.parsed(path)?.file;
  return file === undefined ? [] : symbolsOf(file);
}

const symbolsOf = (file: File): OutlineSymbol[] =>
  file.declarations.flatMap((d) => (d.kind === 'import' || d.name.text === '' ? [] : [symbol(d)]));

const symbol = (node: Exclude<Declaration, { kind: 'import' }> | Item): OutlineSymbol => ({
  name: node.name.text,
  kind: node.kind,
  detail: detailOf(node),
  span: node.span,
  at: node.name.span,
  children: node.kind === 'adapter' ? node.items.filter((i) => i.name.text !== '').map(symbol) : [],
});

function detailOf(node: Declaration | Item): string {
  switch (node.kind) {
    case 'param':
    case 'data':
    case 'group':
      return printExpression(node.value);
    case 'adapter':
      return [node.base && `on ${node.base.text}`, node.parent && `extends ${node.parent.text}`]
        .filter((s) => s !== null)
        .join(' ');
    case 'recipe':
      return `for ${node.adapter.text}`;
    case 'sweep':
      return `over ${node.adapter.text}`;
    case 'part':
      return node.on === null ? node.type.text : `${node.type.text} on ${printExpression(node.on)}`;
    case 'task':
      return `trains ${printExpression(node.trains)}`;
    case 'base':
    case 'expert':
    case 'override':
    case 'drop':
    case 'import':
      return '';
  }
}
