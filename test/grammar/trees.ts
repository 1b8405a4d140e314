/** Random trees: every kind of node the parser can give, with names and numbers that are easily confused. */
import type {
  AdapterDeclaration,
  Argument,
  Declaration,
  Expression,
  Field,
  File,
  Item,
  Name,
  NumberLiteral,
  Segment,
  StringLiteral,
} from '../../grammar/ast.ts';
import { pick, several, type Random } from './random.ts';

const span = { file: 'random', start: 0, end: 0 };
const named = (text: string): Name => ({ text, span });

const identifiers = [
  'a',
  'words',
  'late',
  'llama7b',
  'x_1',
  'Every',
  'a_rather_long_name_of_a_part',
  'wq',
  'none',
  '_',
];
/** Where any word may stand, also those of the language. */
const words = [...identifiers, 'on', 'data', 'first', 'in', 'base', 'steps', 'epochs', 'where'];
const numbers: readonly (readonly [string, number])[] = [
  ['0', 0],
  ['10', 10],
  ['-1', -1],
  ['2%', 0.02],
  ['567k', 567e3],
  ['1_000', 1000],
  ['3e-4', 3e-4],
  ['0.95', 0.95],
  ['512MiB', 512 * 2 ** 20],
];
const strings = [
  '',
  'a.json',
  'Text in the image: {text}',
  'a "quoted" \\ line\n\tmore',
  '// no comment',
  'żółć 漢字 🙂',
];

const nameOf = (r: Random): Name => named(pick(r, identifiers));
const maybe = <T>(r: Random, make: () => T): T | null => (r(2) === 0 ? null : make());

function numberOf(r: Random): NumberLiteral {
  const [text, value] = pick(r, numbers);
  const unit = r(6) === 0 ? named(pick(r, ['epochs', 'steps', 'epoch', 'step'])) : null;
  return { kind: 'number', value, text, unit, span };
}

function segmentsOf(r: Random, depth: number): Segment[] {
  const withIndex = (name: Name): Segment => {
    const index = depth > 0 && r(4) === 0 ? expressionOf(r, depth - 1) : null;
    return { kind: 'name', name, index, span };
  };
  const star = (): Segment => ({ kind: r(2) === 0 ? 'one' : 'any', span });
  const plain = (text: string): Segment => ({ kind: 'name', name: named(text), index: null, span });
  const heads = [() => withIndex(nameOf(r)), () => withIndex(nameOf(r)), star, () => plain('base')];
  const later = [
    () => withIndex(named(pick(r, words))),
    () => plain(pick(r, ['0', '31', '7'])),
    star,
    (): Segment => ({
      kind: 'choice',
      names: [named('wq'), ...several(r, 3, () => named(pick(r, words)))],
      span,
    }),
  ];
  return [pick(r, heads)(), ...several(r, 3, () => pick(r, later)())];
}

const argumentOf = (r: Random, depth: number): Argument => ({
  name: maybe(r, () => named(pick(r, words))),
  value: expressionOf(r, depth),
  span,
});

const stringOf = (r: Random): StringLiteral => ({ kind: 'string', value: pick(r, strings), text: '', span });

function expressionOf(r: Random, depth = 3): Expression {
  const path = (): Expression => ({ kind: 'path', segments: segmentsOf(r, depth), span });
  const within = (): Expression | null => (depth > 0 && r(2) === 0 ? expressionOf(r, depth - 1) : null);
  const leaves: readonly (() => Expression)[] = [
    () => numberOf(r),
    () => stringOf(r),
    path,
    () => ({ kind: 'range', from: numberOf(r), to: numberOf(r), by: maybe(r, () => numberOf(r)), span }),
    () => ({
      kind: 'edge',
      end: r(2) === 0 ? 'first' : 'last',
      count: r(3) === 0 ? single(r) : numberOf(r),
      within: within(),
      span,
    }),
    () => ({ kind: 'every', what: nameOf(r), within: within(), span }),
  ];
  const branches: readonly (() => Expression)[] = [
    () => ({ kind: 'call', name: nameOf(r), arguments: several(r, 5, () => argumentOf(r, depth - 1)), span }),
    () => ({
      kind: 'list',
      items: several(r, r(8) === 0 ? 40 : 5, () => (r(2) === 0 ? numberOf(r) : expressionOf(r, depth - 1))),
      span,
    }),
    () => {
      const [left, right] = [expressionOf(r, depth - 1), expressionOf(r, depth - 1)];
      return { kind: 'binary', operator: pick(r, ['+', '-', '&'] as const), left, right, span };
    },
  ];
  return pick(r, depth > 0 ? [...leaves, ...branches, ...branches] : leaves)();
}

function single(r: Random): Expression {
  return { kind: 'path', segments: [{ kind: 'name', name: nameOf(r), index: null, span }], span };
}

const fieldsOf = (r: Random): Field[] =>
  several(r, 5, () => ({ kind: 'field', name: named(pick(r, words)), value: expressionOf(r, 2), span }));

function itemOf(r: Random): Item {
  const common = { name: nameOf(r), doc: '', span };
  const on = (): Expression | null => maybe(r, () => expressionOf(r));
  const from = (): Name | null => (r(3) === 0 ? nameOf(r) : null);
  const part = (): Item => ({
    kind: 'part',
    type: nameOf(r),
    on: on(),
    from: from(),
    fields: fieldsOf(r),
    ...common,
  });
  const items: readonly (() => Item)[] = [
    part,
    part,
    () => ({ kind: 'group', value: expressionOf(r), ...common }),
    () => ({ kind: 'task', data: nameOf(r), trains: expressionOf(r), fields: fieldsOf(r), ...common }),
    () => ({ kind: 'expert', fields: fieldsOf(r), ...common }),
    () => ({
      kind: 'override',
      value: null,
      on: on(),
      from: from(),
      trains: on(),
      fields: fieldsOf(r),
      ...common,
    }),
    () => ({
      kind: 'override',
      value: expressionOf(r),
      on: null,
      from: null,
      trains: null,
      fields: [],
      ...common,
    }),
    () => ({ kind: 'drop', ...common }),
  ];
  return pick(r, items)();
}

function declarationOf(r: Random): Declaration {
  const common = { name: nameOf(r), doc: '', span };
  const adapter = (): AdapterDeclaration => {
    const [base, parent] = [maybe(r, () => nameOf(r)), maybe(r, () => nameOf(r))];
    return { kind: 'adapter', base, parent, items: several(r, 7, () => itemOf(r)), ...common };
  };
  const declarations: readonly (() => Declaration)[] = [
    () => ({ kind: 'import', path: pick(r, strings), pathSpan: span, doc: '', span }),
    () => ({ kind: 'base', from: null, fields: fieldsOf(r), ...common }),
    () => ({ kind: 'base', from: stringOf(r), fields: fieldsOf(r), ...common }),
    () => ({ kind: 'param', value: expressionOf(r), ...common }),
    () => ({ kind: 'data', value: expressionOf(r), ...common }),
    adapter,
    adapter,
    () => ({ kind: 'recipe', adapter: nameOf(r), fields: fieldsOf(r), ...common }),
    () => {
      const conditions = several(r, 2, () => {
        const [left, right] = [expressionOf(r, 2), expressionOf(r, 2)];
        return { kind: 'condition', operator: pick(r, ['==', '!='] as const), left, right, span } as const;
      });
      return {
        kind: 'sweep',
        adapter: nameOf(r),
        recipe: nameOf(r),
        fields: fieldsOf(r),
        conditions,
        ...common,
      };
    },
  ];
  return pick(r, declarations)();
}

/** A file as the parser could have read it; its spans mean nothing. */
export const randomFile = (r: Random): File => ({
  kind: 'file',
  file: 'random',
  declarations: several(r, 5, () => declarationOf(r)),
  comments: [],
  span,
});
