/** What changes from one model to another, in words and in numbers: `graft diff`. */
import { linearsByHolder } from '../families/words.ts';
import { printRope } from '../families/rotary.ts';
import { countModel, parameterNames, type Counts } from './counts.ts';
import type { Expert } from '../model/expert.ts';
import type { Base, FieldValue, Model, Part, Site } from '../model/model.ts';
import type { Recipe } from '../model/recipe.ts';
import { placesByLayers, printLayers } from '../model/layers.ts';
import { printValue } from '../model/values.ts';

/** What a change is of, in the order in which changes are told. */
type Area = 'base' | 'part' | 'group' | 'task' | 'data' | 'recipe' | 'expert';

/** One thing that is there in only one of the models, or differs. */
export interface Change {
  readonly area: Area;
  readonly name: string;
  readonly change: 'added' | 'dropped' | 'changed';
  /** Each says one difference: `layers 0..3 to 1..31`. For what was added or dropped, what it is. */
  readonly words: readonly string[];
}

/** Numbers in something, before and after; null where it is not there. */
export interface CountChange {
  readonly area: 'base' | 'part' | 'group' | 'task' | 'trained';
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
}

export interface ModelDiff {
  readonly changes: readonly Change[];
  /** Of everything that has parameters, changed or not. */
  readonly counts: readonly CountChange[];
}

/** Compares two models; things with the same name are taken for the same thing. */
export function diffModels(a: Model, b: Model): ModelDiff {
  const order = orderChanges(a, b);
  return {
    changes: [
      ...named('base', [a.base], [b.base], describeBase, diffBase),
      ...withOrder(named('part', a.parts, b.parts, describePart, diffPart), order),
      ...named('group', groupsOf(a), groupsOf(b), ({ members }) => members.join(' + '), diffMembers),
      ...named('task', tasksOf(a), tasksOf(b), describeTask, diffTask),
      ...named('data', a.data, b.data, describeData, (x, y) =>
        different('', describeData(x), describeData(y)),
      ),
      ...named(
        'recipe',
        a.recipes,
        b.recipes,
        () => '',
        (x, y) => diffFields(recipeFields(x), recipeFields(y)),
      ),
      ...named(
        'expert',
        a.experts,
        b.experts,
        () => '',
        (x, y) => diffFields(expertFields(x), expertFields(y)),
      ),
    ],
    counts: diffCounts(countModel(a), countModel(b), a.base.name === b.base.name ? a.base.name : 'base'),
  };
}

/** Changes of things with names: one for each that is not the same in both. */
function named<T extends { readonly name: string }>(
  area: Area,
  before: readonly T[],
  after: readonly T[],
  describe: (thing: T) => string,
  compare: (x: T, y: T) => readonly string[],
): Change[] {
  const said = (thing: T): readonly string[] => [describe(thing)].filter((words) => words !== '');
  // A model has one base, whatever it is called.
  const same = (x: T, y: T): boolean => area === 'base' || x.name === y.name;
  return [
    ...before.flatMap((x): Change[] => {
      const y = after.find((other) => same(x, other));
      if (y === undefined) return [{ area, name: x.name, change: 'dropped', words: said(x) }];
      const words = compare(x, y);
      return words.length === 0 ? [] : [{ area, name: y.name, change: 'changed', words }];
    }),
    ...after
      .filter((y) => !before.some((x) => same(x, y)))
      .map((y): Change => ({ area, name: y.name, change: 'added', words: said(y) })),
  ];
}

const different = (what: string, before: string, after: string): string[] =>
  before === after ? [] : [`${what === '' ? '' : `${what} `}${before} to ${after}`];

type Fields = Readonly<Record<string, FieldValue>>;

function diffFields(before: Fields, after: Fields): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) =>
    different(`\`${key}\``, shownValue(before[key] ?? null), shownValue(after[key] ?? null)),
  );
}

/** An argument that says no is no different from one that was left out: a default need not have all of them. */
function shownValue(value: FieldValue): string {
  if (value === null || typeof value !== 'object' || !('call' in value)) return printValue(value);
  const args = Object.entries(value.args).filter(([, arg]) => arg !== false && arg !== null);
  return printValue({ call: value.call, args: Object.fromEntries(args) });
}

const describeBase = (base: Base): string => `${base.layers} layers of width ${base.dim}`;

const describeWindow = (window: Base['window']): string =>
  window === undefined ? 'none' : `${window.tokens} in ${printLayers(window.layers)}`;

function diffBase(a: Base, b: Base): string[] {
  const { rope: ropeA, window: windowA, ...x } = a;
  const { rope: ropeB, window: windowB, ...y } = b;
  return [
    ...different('', a.name, b.name),
    ...diffFields({ ...x, name: '' }, { ...y, name: '' }),
    ...different('`rope`', printRope(ropeA), printRope(ropeB)),
    ...different('`window`', describeWindow(windowA), describeWindow(windowB)),
  ];
}

function describePart(part: Part): string {
  const from = part.source === null ? '' : `, from \`${part.source}\``;
  const place = placeOf(part);
  return `${/^[aeiou]/.test(part.kind) ? 'an' : 'a'} ${part.kind}${place === '' ? '' : ` on ${place}`}${from}`;
}

function diffPart(a: Part, b: Part): string[] {
  if (a.kind !== b.kind) return [`${describePart(a)} to ${describePart(b)}`];
  return [
    ...different('on', placeOf(a), placeOf(b)),
    ...different('reads', a.source ?? 'nothing', b.source ?? 'nothing'),
    ...diffFields(a.fields, b.fields),
  ];
}

function placeOf({ input, layers, sites }: Part): string {
  if (input) return 'input';
  if (sites.length > 0) return describeSites(sites);
  if (layers.length === 0) return '';
  return `layer${layers.length === 1 ? '' : 's'} ${printLayers(layers)}${layers.length > 1 ? ` (${layers.length})` : ''}`;
}

/** `attention.{wq, wv} in layers 0..31; norm`: places with the same layers together. */
export const describeSites = (sites: readonly Site[]): string =>
  placesByLayers(sites)
    .map(({ layers, places }) => {
      const where = layers.length === 0 ? '' : ` in layers ${printLayers(layers)}`;
      return shortened(places) + where;
    })
    .join('; ');

/** Linears of a layer by their names in it: `attention.wq`. */
const linears: ReadonlySet<string> = new Set(
  Object.entries(linearsByHolder).flatMap(([holder, words]) => words.map((word) => `${holder}.${word}`)),
);

/** Names of places as a selector would have them: `attention.{wq, wo}`, `feed_forward`, `every linear`. */
function shortened(names: readonly string[]): string {
  const rest = names.filter((name) => !linears.has(name));
  const held = Object.entries(linearsByHolder).flatMap(([holder, all]) => {
    const here = all.filter((name) => names.includes(`${holder}.${name}`));
    if (here.length === 0) return [];
    if (here.length === all.length) return [holder];
    return [`${holder}.${here.length === 1 ? here[0] : `{${here.join(', ')}}`}`];
  });
  const every = held.join() === Object.keys(linearsByHolder).join();
  return [...(every ? ['every linear'] : held), ...rest].join(', ');
}

/** Parts that apply in another order where they meet: `s (W x + b)` is not `s (W x) + b`. */
function orderChanges(a: Model, b: Model): ReadonlyMap<string, string[]> {
  const found = new Map<string, string[]>();
  const at = (model: Model, name: string): number => model.parts.findIndex((p) => p.name === name);
  b.parts.forEach((first, i) => {
    for (const second of b.parts.slice(i + 1)) {
      const [x, y] = [at(a, first.name), at(a, second.name)];
      const meet = first.sites.some((s) => second.sites.some((other) => other.name === s.name));
      if (meet && x >= 0 && y >= 0 && x > y)
        found.set(first.name, [
          ...(found.get(first.name) ?? []),
          `applies before \`${second.name}\`, not after it`,
        ]);
    }
  });
  return found;
}

function withOrder(changes: readonly Change[], order: ReadonlyMap<string, string[]>): Change[] {
  const rest = [...order].filter(([name]) => !changes.some((c) => c.name === name));
  return [
    ...changes.map((c) => ({ ...c, words: [...c.words, ...(order.get(c.name) ?? [])] })),
    ...rest.map(([name, words]): Change => ({ area: 'part', name, change: 'changed', words })),
  ];
}

interface Members {
  readonly name: string;
  /** Parts whose parameters are in it; `base` for the base's own. */
  readonly members: readonly string[];
}

function membersOf(model: Model, names: readonly string[]): string[] {
  const left = new Set(names);
  const parts = model.parts.filter(
    (part) => parameterNames(model, part.name).filter((n) => left.delete(n)).length > 0,
  );
  return [...parts.map((p) => p.name), ...(left.size > 0 ? ['base'] : [])];
}

const groupsOf = (model: Model): Members[] =>
  Object.entries(model.groups).map(([name, names]) => ({ name, members: membersOf(model, names) }));

function diffMembers(a: Members, b: Members): string[] {
  const only = (x: Members, y: Members): string => x.members.filter((m) => !y.members.includes(m)).join(', ');
  const [gone, come] = [only(a, b), only(b, a)];
  return [...(come === '' ? [] : [`gains ${come}`]), ...(gone === '' ? [] : [`loses ${gone}`])];
}

interface TaskMembers extends Members {
  readonly data: string;
  readonly fields: Fields;
}

const tasksOf = (model: Model): TaskMembers[] =>
  model.tasks.map((t) => ({
    name: t.name,
    data: t.data,
    fields: t.fields,
    members: membersOf(model, t.trains),
  }));

const describeTask = ({ data, members }: TaskMembers): string =>
  `trains ${members.join(' + ')} on \`${data}\``;

const diffTask = (a: TaskMembers, b: TaskMembers): string[] => [
  ...different('on', `\`${a.data}\``, `\`${b.data}\``),
  ...diffMembers(a, b),
  ...diffFields(a.fields, b.fields),
];

const describeData = ({ format, paths }: Model['data'][number]): string => `${format} of ${paths.join(', ')}`;

function recipeFields(recipe: Recipe): Fields {
  const { name: _name, span: _span, mix, optimizer, schedule, ...rest } = recipe;
  const counts = Object.fromEntries(mix.parts.map(({ task, count }) => [task, count]));
  const { warmup } = schedule;
  return {
    mix: { call: mix.kind, args: counts },
    ...optimizer,
    schedule: schedule.kind,
    floor: schedule.floor,
    warmup: { call: 'duration', args: { value: warmup.value, unit: warmup.unit } },
    ...rest,
  };
}

function expertFields({ run, say, timeout, length }: Expert): Fields {
  if (run === null) return { run, say, timeout, length };
  const { kind, ...args } = run;
  return { run: { call: kind, args }, say, timeout, length };
}

function diffCounts(a: Counts, b: Counts, base: string): CountChange[] {
  const rows = (
    area: CountChange['area'],
    before: ReadonlyMap<string, number>,
    after: ReadonlyMap<string, number>,
  ): CountChange[] =>
    [...new Set([...before.keys(), ...after.keys()])].map((name) => ({
      area,
      name,
      before: before.get(name) ?? null,
      after: after.get(name) ?? null,
    }));
  const sets = (list: Counts['groups']): Map<string, number> => new Map(list.map((s) => [s.name, s.numbers]));
  const parts = (c: Counts): Map<string, number> => new Map(c.parts.map((p) => [p.part, p.numbers]));
  return [
    { area: 'base', name: base, before: a.base, after: b.base },
    ...rows('part', parts(a), parts(b)),
    ...rows('group', sets(a.groups), sets(b.groups)),
    ...rows('task', sets(a.tasks), sets(b.tasks)),
    { area: 'trained', name: 'in all', before: a.trained, after: b.trained },
  ];
}
