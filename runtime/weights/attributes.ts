/**
 * The attributes an adapter file was trained with, in its metadata, and how they differ from those it is put under.
 *
 * Shapes tell most specs apart. What they do not tell, such as a LoRA's alpha or a gate's function, would make the file
 * another model without a word.
 */
import type { Attributes, AttributeValues } from '../../compiler/package/package.ts';
import { InputError } from '../input-error.ts';
import { parseJsonStrict } from '../json.ts';
import type { WeightSource } from './source.ts';

/** The metadata entry that holds them, as JSON. */
const ENTRY = 'attributes';
/** The version of the entry that this version of Graft reads and writes. */
const FORMAT: Attributes['format'] = 1;

/**
 * Of a part that takes numbers from a file of its own: their fingerprint. A package does not know it, so two sets of
 * attributes are compared in it only where both have it.
 */
export const FILE_FINGERPRINT = 'fingerprint of its file';

/** Of a task with `template = chat`: the text of the model's own template, which whoever opens no tokenizer does not know. */
export const CHAT_TEMPLATE = 'chat template';

/** Attributes that are compared only where both sides state them. */
const FROM_FILES = [FILE_FINGERPRINT, CHAT_TEMPLATE];

type Value = AttributeValues[string];

/** One attribute that is not what it was in training. */
export interface Difference {
  /** `base`: of the base; `part` and `task`: of the one called `owner`. */
  readonly of: 'base' | 'part' | 'task';
  readonly owner: string;
  readonly attribute: string;
  /** Undefined: not stated, which is as none. */
  readonly was: Value | undefined;
  readonly is: Value | undefined;
}

/** The entry for a new file's metadata. */
export const attributesEntry = (attributes: Attributes | undefined): Record<string, string> =>
  attributes === undefined ? {} : { [ENTRY]: JSON.stringify(attributes) };

/**
 * The attributes a file states; null where it states none, as files of earlier versions and of other programs.
 * @throws InputError for an entry that is damaged or of a later version
 */
function readAttributes({ name, metadata }: Pick<WeightSource, 'name' | 'metadata'>): Attributes | null {
  const text = metadata[ENTRY];
  if (text === undefined) return null;
  const value = parseJsonStrict(text, `${name}: metadata \`${ENTRY}\``);
  if (!isRecord(value)) throw damaged(name, 'is no JSON object');
  const { format, base, parts, tasks } = value;
  if (format !== FORMAT)
    throw new InputError(
      `${name}: metadata \`${ENTRY}\` is of format ${JSON.stringify(format) ?? 'none'}, this version of Graft reads ${FORMAT}`,
      'use the version of Graft that wrote the file, or a later one',
    );
  if (!isValues(base)) throw damaged(name, 'has no `base` with plain values');
  if (!isNamed(parts)) throw damaged(name, 'has no `parts` with plain values');
  if (!isNamed(tasks)) throw damaged(name, 'has no `tasks` with plain values');
  return { format, base, parts, tasks };
}

const damaged = (name: string, what: string): InputError =>
  new InputError(
    `${name}: metadata \`${ENTRY}\` ${what}`,
    'the file was changed after it was written: get it again, or take the entry out to use it unchecked',
  );

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isPlain = (value: unknown): boolean =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);
const isValues = (value: unknown): value is AttributeValues =>
  isRecord(value) &&
  Object.values(value).every((one) => isPlain(one) || (Array.isArray(one) && one.every(isPlain)));
const isNamed = (value: unknown): value is Readonly<Record<string, AttributeValues>> =>
  isRecord(value) && Object.values(value).every(isValues);

/**
 * What differs between two sets of attributes. A part or task that only one of them has is left out: of a part the
 * names of tensors tell, and a task that is new is asked in its own way.
 * @param holds whether there are trained numbers of a part, so that its attributes must have been stated
 */
export function differencesOf(
  was: Attributes,
  is: Attributes,
  holds: (part: string) => boolean = () => false,
): Difference[] {
  const parts = Object.entries(is.parts).flatMap(([owner, now]) => {
    const before = was.parts[owner];
    if (before) return changes('part', owner, besideKnown(before, is), besideKnown(now, was));
    const kind = 'kind of part';
    return holds(owner)
      ? [{ of: 'part' as const, owner, attribute: kind, was: undefined, is: now[kind] }]
      : [];
  });
  const tasks = Object.entries(is.tasks).flatMap(([owner, now]) => {
    const before = was.tasks[owner];
    return before === undefined ? [] : changes('task', owner, before, now);
  });
  return [...changes('base', 'base', was.base, is.base), ...parts, ...tasks];
}

/** Of the parts that this one comes after, those that the other side has too: what is added at first does nothing. */
function besideKnown(values: AttributeValues, other: Attributes): AttributeValues {
  const { after } = values;
  if (!Array.isArray(after)) return values;
  return { ...values, after: after.filter((name) => other.parts[String(name)] !== undefined) };
}

/** How attributes of a file differ from a model's; `stated` is false where the file keeps none. */
export interface Comparison {
  readonly stated: boolean;
  readonly differences: readonly Difference[];
}

/** Compares a file's attributes with a model's. @throws InputError as `readAttributes` does */
export function compareAttributes(
  source: Pick<WeightSource, 'name' | 'metadata' | 'tensors'>,
  is: Attributes,
): Comparison {
  const was = readAttributes(source);
  if (was === null) return { stated: false, differences: [] };
  const owners = new Set([...source.tensors.keys()].map((name) => name.slice(0, name.indexOf('.'))));
  return { stated: true, differences: differencesOf(was, is, (part) => owners.has(part)) };
}

/** Refuses a file under attributes that would make it another model. @throws InputError that lists them */
export function requireSameAttributes(
  file: string,
  model: string,
  differences: readonly Difference[],
  remedy: string,
): void {
  if (differences.length === 0) return;
  throw new InputError(
    `${file} was trained with other attributes than \`${model}\` has:${showDifferences(differences)}`,
    remedy,
  );
}

function changes(
  of: Difference['of'],
  owner: string,
  was: AttributeValues,
  is: AttributeValues,
): Difference[] {
  return [...new Set([...Object.keys(is), ...Object.keys(was)])]
    .filter((name) => !same(was[name], is[name]))
    .filter((name) => !FROM_FILES.includes(name) || (name in was && name in is))
    .map((attribute) => ({ of, owner, attribute, was: was[attribute], is: is[attribute] }));
}

/** An attribute that was not stated is off: one that a later version adds must do nothing at `none`, `false` or []. */
const same = (a: Value | undefined, b: Value | undefined): boolean => key(a) === key(b);
function key(value: Value | undefined): string {
  const off = value === undefined || value === null || value === false;
  return off || (Array.isArray(value) && value.length === 0) ? 'none' : JSON.stringify(value);
}

/** ``  `low`: alpha was 16 and is 32 ``, one line a difference, for people. */
export const showDifferences = (differences: readonly Difference[]): string =>
  differences
    .map(({ of, owner, attribute, was, is }) => {
      const whose = of === 'base' ? 'the base' : of === 'task' ? `task \`${owner}\`` : `\`${owner}\``;
      const unstated = attribute === 'kind of part' && was === undefined;
      const [before, now] = shorten(unstated ? 'not stated' : show(was), show(is));
      return `\n  ${whose}: ${attribute} was ${before} when it was trained, and is ${now} here`;
    })
    .join('');

const show = (value: Value | undefined): string => {
  if (value === undefined || value === null) return 'none';
  if (Array.isArray(value)) return `[${value.map((one) => String(one)).join(', ')}]`;
  return typeof value === 'string' && /[\s"]|^$/.test(value) ? JSON.stringify(value) : String(value);
};

const LONGEST = 70;

/** Two long texts are cut down to where they begin to differ. */
function shorten(a: string, b: string): [string, string] {
  if (Math.max(a.length, b.length) <= LONGEST) return [a, b];
  let first = 0;
  while (first < a.length && a[first] === b[first]) first++;
  const from = Math.max(0, first - 20);
  const cut = (text: string): string => {
    const kept = text.slice(from, from + LONGEST);
    return `${from > 0 ? '...' : ''}${kept}${from + LONGEST < text.length ? '...' : ''}`;
  };
  return [cut(a), cut(b)];
}
