/** Edits that fixes are made of: changes of a spec's text, by what the tree knows of it. */
import type { Expression, Field, Item, Name, RecipeDeclaration } from '../../../grammar/ast.ts';
import type { Fix } from '../../../grammar/diagnostic.ts';
import type { Span } from '../../../grammar/source.ts';

type Edits = Fix['edits'];

/** Other text in place of what stands at a span. */
export const replace = (span: Span, text: string): Edits => [{ span, text }];

/** Nothing in place of it; who applies the edit also takes the blanks before it, and a line that is left empty. */
export const remove = (span: Span): Edits => [{ span, text: '' }];

/** Text at one place, with nothing taken away. */
export const insert = ({ file }: Span, at: number, text: string): Edits => [
  { span: { file, start: at, end: at }, text },
];

/** What has attributes in braces. */
type Owner = Extract<Item, { fields: readonly Field[] }> | RecipeDeclaration;

/** An attribute more, behind those that are there; with braces where there are none. */
export function addField(owner: Owner, text: string): Edits {
  const last = owner.fields.at(-1);
  if (last !== undefined) return insert(last.span, last.span.end, `  ${text}`);
  const end = owner.span.end;
  return end > headEnd(owner)
    ? insert(owner.span, end - 1, ` ${text} `)
    : insert(owner.span, end, ` { ${text} }`);
}

/** Where an owner's line ends when it has no braces. */
function headEnd(owner: Owner): number {
  const ends: (Name | Expression | null)[] = [owner.name];
  if (owner.kind === 'part') ends.push(owner.on, owner.from);
  if (owner.kind === 'task') ends.push(owner.data, owner.trains);
  if (owner.kind === 'recipe') ends.push(owner.adapter);
  return Math.max(...ends.map((e) => e?.span.end ?? 0));
}

/** A sum without one of its terms; nothing when that is all there is, or is not added. */
export function withoutTerm(e: Expression, term: Expression): Edits {
  if (e.kind !== 'binary' || e.operator !== '+') return [];
  const { file } = e.span;
  if (e.right === term) return remove({ file, start: e.left.span.end, end: e.right.span.end });
  if (e.left === term) return remove({ file, start: e.left.span.start, end: e.right.span.start });
  return withoutTerm(e.left, term);
}
