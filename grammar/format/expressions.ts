/** Expressions as Prettier's documents: on one line where they fit, else an element a line. */
import type { Doc } from 'prettier';
import * as prettierDoc from 'prettier/doc';
import type { Argument, Binary, Comment, Expression, Segment } from '../ast.ts';
import { dotBetween, printNumber } from '../print.ts';
import type { CommentsOf } from './comments.ts';
import { isBracketed, operandsOf, type Node } from './nodes.ts';

const { breakParent, fill, group, hardline, indent, join, line, lineSuffix, softline } = prettierDoc.builders;

/** What the printers have at hand. */
export interface Printing {
  readonly text: string;
  readonly commentsOf: CommentsOf;
}

/** A comment's text; blanks at its end mean nothing. */
export const textOf = (comment: Comment): string => comment.text.trimEnd();

/** Comments at the end of the line, whatever else still comes on it. */
export const atLineEnd = (comments: readonly Comment[]): Doc =>
  comments.map((c) => [lineSuffix(`  ${textOf(c)}`), breakParent]);

/** An expression, in the brackets in which it was written. */
function expressionDoc(p: Printing, e: Expression): Doc {
  if (isBracketed(e, p.text))
    return enclosed('(', e.kind === 'binary' ? sumDocs(p, e) : [plainDoc(p, e)], ')', line);
  if (e.kind !== 'binary') return plainDoc(p, e);
  const [first, ...rest] = sumDocs(p, e);
  return group([first ?? '', indent(rest.map((o) => [line, o]))]);
}

/** A value behind a word, such as `on` or `=`: a sum that does not fit goes below it, an operand a line. */
export function clauseDoc(p: Printing, word: string, e: Expression, deeper: boolean): Doc {
  if (e.kind !== 'binary' || isBracketed(e, p.text)) return [word, ' ', expressionDoc(p, e)];
  const below = indent([line, join(line, sumDocs(p, e))]);
  return group([word, deeper ? indent(below) : below]);
}

/** Operands, each followed by the operator of the next one, so that a comment may stand behind it. */
function sumDocs(p: Printing, e: Binary): Doc[] {
  const all = operandsOf(e);
  return all.map((o, i) => {
    const next = all[i + 1];
    return withComments(p, o.value, [
      expressionDoc(p, o.value),
      next === undefined ? '' : ` ${next.operator}`,
    ]);
  });
}

function plainDoc(p: Printing, e: Exclude<Expression, Binary>): Doc {
  switch (e.kind) {
    case 'number':
      return printNumber(e);
    case 'string':
      return e.text;
    case 'path':
      return e.segments.map((s, i) => [dotBetween(e.segments[i - 1], s), segmentDoc(p, s)]);
    case 'call':
      return [
        e.name.text,
        enclosed(
          '(',
          e.arguments.map((a) => withComments(p, a, argumentDoc(p, a))),
          ')',
        ),
      ];
    case 'list':
      return listDoc(p, e.items);
    case 'range': {
      const by = e.by === null ? '' : ` by ${printNumber(e.by)}`;
      return `${printNumber(e.from)}..${printNumber(e.to)}${by}`;
    }
    case 'edge':
      return [e.end, ' ', expressionDoc(p, e.count), withinDoc(p, e.within)];
    case 'every':
      return ['every ', e.what.text, withinDoc(p, e.within)];
    case 'missing':
      return '';
  }
}

const withinDoc = (p: Printing, within: Expression | null): Doc =>
  within === null ? '' : [' in ', expressionDoc(p, within)];

const argumentDoc = (p: Printing, a: Argument): Doc =>
  a.name === null ? expressionDoc(p, a.value) : clauseDoc(p, `${a.name.text}:`, a.value, false);

function segmentDoc(p: Printing, s: Segment): Doc {
  switch (s.kind) {
    case 'one':
      return '*';
    case 'any':
      return '**';
    case 'choice':
      return enclosed(
        '{',
        s.names.map((n) => n.text),
        '}',
      );
    case 'name':
      return s.index === null ? s.name.text : [s.name.text, enclosed('[', [expressionDoc(p, s.index)], ']')];
  }
}

/** Numbers fill lines; anything else that does not fit stands alone on its line. */
function listDoc(p: Printing, items: readonly Expression[]): Doc {
  const docs = items.map((item) => withComments(p, item, expressionDoc(p, item)));
  const short = items.every((item) => item.kind === 'number' && isQuiet(p, item));
  if (!short || items.length === 0) return enclosed('[', docs, ']');
  const parts = docs.flatMap((d, i) => (i === docs.length - 1 ? [d] : [[d, ','], line]));
  return group(['[', indent([softline, fill(parts)]), softline, ']']);
}

function enclosed(open: string, docs: readonly Doc[], close: string, between: Doc = [',', line]): Doc {
  if (docs.length === 0) return [open, close];
  return group([open, indent([softline, join(between, [...docs])]), softline, close]);
}

/** An element of a list, an argument or an operand with its comments. */
function withComments(p: Printing, node: Node, doc: Doc): Doc {
  const { above, behind, below } = p.commentsOf(node);
  return [
    above.map((c) => [textOf(c), hardline]),
    doc,
    atLineEnd(behind),
    below.map((c) => [hardline, textOf(c)]),
  ];
}

const isQuiet = (p: Printing, node: Node): boolean =>
  Object.values(p.commentsOf(node)).every((comments: readonly Comment[]) => comments.length === 0);

/** A document on one line, or null when something in it has to break. */
export function flatText(doc: Doc): string | null {
  if (typeof doc === 'string') return doc;
  if (Array.isArray(doc)) return flatTexts(doc);
  switch (doc.type) {
    case 'group':
    case 'indent':
      return flatText(doc.contents);
    case 'fill':
      return flatTexts(doc.parts);
    case 'line':
      return 'hard' in doc ? null : 'soft' in doc ? '' : ' ';
    default:
      return null;
  }
}

function flatTexts(docs: readonly Doc[]): string | null {
  let out = '';
  for (const doc of docs) {
    const flat = flatText(doc);
    if (flat === null) return null;
    out += flat;
  }
  return out;
}
