/** What stands before the braces of a declaration or item: its words and its clauses. */
import type { Condition, Declaration, Expression, Field, Item, Name } from '../ast.ts';

/** Something that is a line, or begins one. */
export type Statement = Declaration | Item | Field | Condition;

/** `on layers[late]`, `from visual`, `= 10`. */
export interface Clause {
  readonly word: string;
  readonly value: Expression | Name;
}

/** `prompt words`, and `on layers[late]` and `from visual`. */
interface Head {
  readonly words: readonly Name[];
  readonly clauses: readonly Clause[];
}

/** The pieces of a statement's head, in the order of the text; the words of the language have no span here. */
export function headOf(s: Statement, text: string): Head {
  const head = (words: readonly (string | Name)[], ...clauses: readonly (Clause | null)[]): Head => ({
    words: words.map((w) =>
      typeof w === 'string' ? { text: w, span: { ...s.span, end: s.span.start } } : w,
    ),
    clauses: clauses.filter((c) => c !== null),
  });
  const clause = (word: string, value: Expression | Name | null): Clause | null =>
    value === null ? null : { word, value };
  switch (s.kind) {
    case 'import':
      return head(['import', { text: text.slice(s.pathSpan.start, s.pathSpan.end), span: s.pathSpan }]);
    case 'base':
      return head([s.kind, s.name], clause('from', s.from));
    case 'expert':
    case 'drop':
      return head([s.kind, s.name]);
    case 'param':
    case 'data':
    case 'group':
      return head([s.kind, s.name], clause('=', s.value));
    case 'adapter':
      return head([s.kind, s.name], clause('on', s.base), clause('extends', s.parent));
    case 'recipe':
      return head([s.kind, s.name], clause('for', s.adapter));
    case 'sweep':
      return head([s.kind, s.name], clause('over', s.adapter), clause('with', s.recipe));
    case 'part':
      return head([s.type, s.name], clause('on', s.on), clause('from', s.from));
    case 'task':
      return head([s.kind, s.name], clause('on', s.data), clause('trains', s.trains));
    case 'override': {
      const changes = [clause('on', s.on), clause('from', s.from), clause('trains', s.trains)];
      return head([s.kind, s.name], clause('=', s.value), ...changes);
    }
    case 'field':
      return head([s.name], clause('=', s.value));
    case 'condition':
      return head([], clause('where', s.left), clause(s.operator, s.right));
  }
}

/** Where the braces of a statement open, or null when it has none. */
export function braceOf(s: Statement, text: string): number | null {
  const { words, clauses } = headOf(s, text);
  const gap = /(?:\s+|\/\/[^\n]*)*/y;
  gap.lastIndex = Math.max(...words.map((w) => w.span.end), ...clauses.map((c) => c.value.span.end));
  gap.exec(text);
  return gap.lastIndex < s.span.end ? gap.lastIndex : null;
}
