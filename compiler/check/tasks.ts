/** Tasks: what each trains, on what, and whether that can work. */
import { singleName, type Expression, type Field as SpecField, type TaskItem } from '../../grammar/ast.ts';
import { printExpression } from '../../grammar/print.ts';
import { anyOf, choice, count, orNone, whole } from '../kinds/fields.ts';
import type { Field } from '../kinds/kind.ts';
import { givesTokens, meetsWords } from '../kinds/kind.ts';
import type { DataSource, FieldValue, Parameter, Part, Task } from '../model/model.ts';
import { namesByOwner } from '../lower/parameters.ts';
import { shapeOf } from './data.ts';
import type { BaseEnv, Env } from './env.ts';
import { readFields } from './fields.ts';
import type { Members } from './groups.ts';
import {
  badPlaceholder,
  blindTest,
  emptyTest,
  imageNowhere,
  meaninglessField,
  noImagePath,
  noTurns,
  otherShape,
} from './diagnostics/data.ts';
import { unknownDeclaration } from './diagnostics/declarations.ts';
import { neverMoves, noGradient, trainedTwice, trainsNothing } from './diagnostics/tasks.ts';
import type { CheckedPart, Values } from './checked.ts';
import { namesIn } from './scope.ts';

const string = { kind: 'string' } as const;
const dataName = { kind: 'name', of: 'data' } as const;

/** The attributes of a task. */
export const taskFields: Readonly<Record<string, Field>> = {
  template: {
    type: anyOf(choice('alpaca', 'chat'), string),
    default: 'alpaca',
    doc: "How an example becomes text: `alpaca`, the model's own chat template (`chat`), or a string with {instruction}, {input} and {output}.",
  },
  max_tokens: { type: count, default: 512, doc: 'Sequences are cut after this many tokens.' },
  ignore: {
    type: anyOf(whole(0), choice('unknown', 'none')),
    default: 'unknown',
    doc: "A token that is no label, unless it ends the text: an id, the tokenizer's `unknown` (id 0 in LLaMA's, as the official loss has it), or none.",
  },
  border: {
    type: choice('apart', 'joined'),
    default: 'apart',
    later: true,
    doc: 'How prompt and answer become tokens: each by itself (`apart`), so that all of the answer is learned, or as one text as in the official code (`joined`), where a token over the border counts as prompt.',
  },
  ask: {
    type: orNone(string),
    default: null,
    doc: "The question put to every image; none: the official code's.",
  },
  test: {
    type: anyOf(choice('none'), dataName, { kind: 'list', of: dataName }),
    default: null,
    doc: 'Held-out data that loss and accuracy are measured on: a source, or a list of them.',
  },
  shared: {
    type: { kind: 'boolean' },
    default: false,
    doc: 'Whether another task may train the same parameters.',
  },
};

export interface CheckedTask {
  readonly task: Task;
  readonly item: TaskItem & { readonly depth: number };
}

/** The facts about an adapter that its tasks are checked against. */
export interface Trainable {
  readonly parts: readonly CheckedPart[];
  readonly parameters: readonly Parameter[];
  readonly members: Members;
  readonly data: ReadonlyMap<string, DataSource | null>;
  /** The spec has a prompt of an image, on no layers: the image enters nowhere, and that is meant. */
  readonly nowhere: boolean;
}

/** The tasks that could be made sense of, and complaints about those that train the same or in vain. */
export function checkTasks(
  env: BaseEnv,
  items: readonly (TaskItem & { depth: number })[],
  known: Trainable,
): readonly CheckedTask[] {
  const tasks = items.flatMap((item) => checkTask(env, item, known) ?? []);
  tasks.forEach((a, i) => tasks.slice(i + 1).forEach((b) => checkDisjoint(env, a, b, known)));
  return tasks;
}

function checkTask(
  env: BaseEnv,
  item: TaskItem & { readonly depth: number },
  known: Trainable,
): CheckedTask | null {
  const data = known.data.get(item.data.text);
  if (data === undefined && item.data.text !== '') {
    env.report(unknownDeclaration(item.data, 'data', [...known.data.keys()]));
  }
  const trains = known.members.of(item.trains, item.depth);
  const read = readFields(env, item.fields, taskFields, 'task', item.name.span);
  if (trains === null || !read.ok || data === undefined || data === null) return null;
  if (trains.size === 0) {
    env.report(trainsNothing(item));
    return null;
  }
  checkPlaceholder(env, read.written.get('template'), 'output');
  const values = fieldsFor(env, data, read, item);
  const ordered = known.parameters.flatMap(({ name }) => (trains.has(name) ? [name] : []));
  checkGradients(env, item, data, trains, known);
  const test = checkTests(env, item, data, read.written.get('test'), known);
  const task: Task = {
    name: item.name.text,
    data: data.name,
    trains: ordered,
    groups: printExpression(item.trains).split(/ [+&-] /),
    fields: { ...values, test },
    span: item.span,
  };
  return { task, item };
}

/** A string that is to be filled in has to say where, once. */
export function checkPlaceholder(env: Env, field: SpecField | undefined, name: string): void {
  const value = field?.value;
  if (field === undefined || value?.kind !== 'string') return;
  const count = value.value.split(`{${name}}`).length - 1;
  if (count !== 1) env.report(badPlaceholder(field, value.span, name, count));
}

/** Attributes that say nothing about this data are mistakes when written and null when not. */
function fieldsFor(
  env: BaseEnv,
  data: DataSource,
  read: Values,
  item: TaskItem,
): Readonly<Record<string, FieldValue>> {
  const shape = shapeOf(data);
  const idle = shape === 'text' ? ['template', 'border', 'ask'] : shape === 'instructions' ? ['ask'] : [];
  if (data.format === 'chat' && !read.written.has('template')) env.report(noTurns(item, data));
  for (const key of idle) {
    const field = read.written.get(key);
    if (field !== undefined) env.report(meaninglessField(field, data, item.name.text));
  }
  return { ...read.values, ...Object.fromEntries(idle.map((key) => [key, null])) };
}

/** Names of the sources a task is tested on, those that can be; null where it names none. */
function checkTests(
  env: BaseEnv,
  item: TaskItem,
  data: DataSource,
  field: SpecField | undefined,
  known: Trainable,
): readonly string[] | null {
  if (field === undefined || singleName(field.value)?.text === 'none') return null;
  const names = namesIn(field.value);
  if (names.length === 0) env.report(emptyTest(field));
  const good = names.filter((name) => {
    const source = known.data.get(name.text);
    if (source === undefined) env.report(unknownDeclaration(name, 'data', [...known.data.keys()]));
    if (source === undefined || source === null) return false;
    const [own, other] = [shapeOf(data), shapeOf(source)];
    const attached = own === 'instructions' && other === 'images';
    if (own !== other && !attached) env.report(otherShape(name, source, item, data));
    else if (attached && !known.nowhere && !known.parts.some(readsImages))
      env.report(blindTest(name, source, item));
    else return true;
    return false;
  });
  return [...new Set(good.map((name) => name.text))];
}

/** Parameters whose gradient is zero whatever the numbers are. */
function checkGradients(
  env: BaseEnv,
  item: TaskItem & { readonly depth: number },
  data: DataSource,
  trains: ReadonlySet<string>,
  known: Trainable,
): void {
  const images = shapeOf(data) === 'images';
  const readers = known.parts.filter(readsImages);
  if (images && readers.length === 0) {
    env.report(known.nowhere ? imageNowhere(item, data) : noImagePath(item, data));
    return;
  }
  const read = sourcesOf(known.parts, readers);
  const idle = new Map<Expression, { readonly names: string[]; readonly blind: boolean }>();
  const owned = namesByOwner(known.parameters);
  for (const { part, kind } of known.parts) {
    const own = owned.get(part.name) ?? [];
    const trained = own.filter((name) => trains.has(name));
    if (trained.length === 0) continue;
    const mention = known.members.mention(item.trains, item.depth, trained[0] ?? '') ?? item.trains;
    const source = givesTokens(kind);
    const blind = (source || (meetsWords(kind) && part.source !== null)) && !images;
    if (blind || (source && !read.has(part.name))) {
      const same = idle.get(mention) ?? { names: [], blind };
      idle.set(mention, { ...same, names: [...same.names, part.name] });
    }
    const frozen = own.filter((name) => !trains.has(name));
    const stuck = stuckBehind(kind.hides?.(part) ?? null, trained, frozen);
    if (stuck !== null) env.report(neverMoves(mention, item, part.name, stuck));
  }
  for (const [mention, { names, blind }] of idle)
    env.report(noGradient(mention, item, names, blind ? data : null));
}

/** Encoders and projectors that these parts read, whether at once or by way of others. */
export function sourcesOf(parts: readonly CheckedPart[], readers: readonly CheckedPart[]): Set<string> {
  const names = readers.flatMap(({ part }) => part.source ?? []);
  const sources = parts.filter(({ part }) => names.includes(part.name));
  return new Set([...names, ...(sources.length === 0 ? [] : sourcesOf(parts, sources))]);
}

/** Whether an image gets to the words through this part: a prompt that reads a projector. */
const readsImages = ({ part, kind }: CheckedPart): boolean =>
  meetsWords(kind) && part.source !== null && isPlaced(part);

/** A prompt on no layers (`none`) is nowhere. */
export const isPlaced = (part: Part): boolean => part.layers.length > 0 || part.input;

/** A factor that starts at zero and stays there hides what it is multiplied with. */
function stuckBehind(
  hides: { readonly factor: string; readonly hidden: string } | null,
  trained: readonly string[],
  frozen: readonly string[],
): string | null {
  const only = (names: readonly string[], word: string): boolean =>
    names.length > 0 && names.every((name) => name.endsWith(`.${word}`));
  return hides && only(trained, hides.hidden) && only(frozen, hides.factor) ? hides.factor : null;
}

function checkDisjoint(env: BaseEnv, a: CheckedTask, b: CheckedTask, known: Trainable): void {
  if (a.task.fields['shared'] === true && b.task.fields['shared'] === true) return;
  const first = new Set(a.task.trains);
  const clashes = new Map<
    string,
    { readonly owners: Set<string>; readonly here: Expression; readonly there: Expression }
  >();
  for (const name of b.task.trains.filter((n) => first.has(n))) {
    const here = known.members.mention(b.item.trains, b.item.depth, name) ?? b.item.trains;
    const there = known.members.mention(a.item.trains, a.item.depth, name) ?? a.item.trains;
    // One complaint for each pair of words in the spec, however many parts meet there.
    const key = `${here.span.start} ${there.span.start}`;
    const clash = clashes.get(key) ?? { owners: new Set(), here, there };
    clash.owners.add(ownerOf(known, name));
    clashes.set(key, clash);
  }
  for (const { owners, here, there } of clashes.values()) {
    env.report(trainedTwice([...owners], { item: b.item, mention: here }, { item: a.item, mention: there }));
  }
}

/** The part a parameter belongs to: the one that added it, or that unfroze it, or the base. */
function ownerOf(known: Trainable, parameter: string): string {
  const own = known.parameters.find((p) => p.name === parameter)?.owner ?? 'base';
  if (own !== 'base') return own;
  return (
    known.parts.find(
      ({ part, kind }) => kind.unfreezes !== undefined && part.sites.some((s) => s.parameter === parameter),
    )?.part.name ?? 'base'
  );
}
