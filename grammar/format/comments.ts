/**
 * Which comment belongs where. A comment goes with something that begins a line (a declaration, an item, an attribute,
 * a list's element), so that it can be written above, behind or below it, whatever happens to the line itself.
 */
import type { Comment, File } from '../ast.ts';
import { braceOf } from './head.ts';
import { childrenOf, isBracketed, isHolder, startsLine, type Node } from './nodes.ts';
import { breaksBefore } from './text.ts';

/** The comments of one node. */
export interface Placed {
  /** On lines of their own before it. */
  readonly above: Comment[];
  /** In its first line: before or right behind the brace that opens its block. */
  readonly opening: Comment[];
  /** At the end of its last line. */
  readonly behind: Comment[];
  /** On lines of their own after it, when nothing else follows. */
  readonly below: Comment[];
  /** On lines of their own in a block, or a file, that holds nothing else. */
  readonly inside: Comment[];
}

/** Gives the comments of a node. */
export type CommentsOf = (node: Node) => Placed;

const none: Placed = { above: [], opening: [], behind: [], below: [], inside: [] };

/** Sorts the comments of a file by the nodes they go with, in one walk over both. */
export function placeComments(file: File, text: string): CommentsOf {
  const places = new Map<Node, Placed>();
  const at = (node: Node): Placed => {
    const placed = places.get(node) ?? { above: [], opening: [], behind: [], below: [], inside: [] };
    places.set(node, placed);
    return placed;
  };
  place(file, file, file.comments, text, at);
  return (node) => places.get(node) ?? none;
}

/** Places the comments within `node`; `owner` is the nearest node around them that begins a line. */
function place(node: Node, owner: Node, comments: readonly Comment[], text: string, at: CommentsOf): void {
  const children = childrenOf(node);
  const inside = insideOf(node, text);
  const within = new Map<Node, Comment[]>();
  let i = 0;
  for (const comment of comments) {
    while (i < children.length && (children[i]?.span.end ?? 0) <= comment.span.start) i++;
    const [before, next] = [children[i - 1], children[i]];
    if (next !== undefined && next.span.start < comment.span.start) {
      const list = within.get(next);
      if (list === undefined) within.set(next, [comment]);
      else list.push(comment);
    } else placeOne(comment, { node, owner, inside, before, next }, text, at);
  }
  for (const [child, inner] of within) place(child, owns(node, child, text) ? child : owner, inner, text, at);
}

/** Whether comments inside a child stay with it: what ends where its parent ends leaves them to the parent. */
const owns = (parent: Node, child: Node, text: string): boolean =>
  startsLine(parent, child) &&
  (!('kind' in parent) ||
    parent.kind !== 'binary' ||
    child.span.end < parent.span.end ||
    isBracketed(parent, text));

interface Surroundings {
  readonly node: Node;
  readonly owner: Node;
  readonly inside: number;
  readonly before: Node | undefined;
  readonly next: Node | undefined;
}

function placeOne(
  comment: Comment,
  { node, owner, inside, before, next }: Surroundings,
  text: string,
  at: CommentsOf,
): void {
  const alone = breaksBefore(text, comment.span.start) > 0;
  const first = before === undefined && !isHolder(node);
  if (comment.span.start < inside) at(node).opening.push(comment);
  else if (next !== undefined && startsLine(node, next) && (alone || first)) at(next).above.push(comment);
  else if (before !== undefined && startsLine(node, before))
    (alone ? at(before).below : at(before).behind).push(comment);
  else if (!isHolder(owner)) at(owner).behind.push(comment);
  else if (alone && owner === node) at(owner).inside.push(comment);
  else at(owner).opening.push(comment);
}

/** Where the inside of a node begins: comments before that are in the head of a declaration or item. */
function insideOf(node: Node, text: string): number {
  if (!isHolder(node) || node.kind === 'file') return node.span.start;
  return braceOf(node, text) ?? node.span.end;
}
