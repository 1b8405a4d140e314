/** The value of an attribute: an expression read as the type its table asks for. */
import { singleName, type Call, type Expression, type Name, type NumberLiteral } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import type { Field as FieldRow, FieldType } from '../kinds/kind.ts';
import type { FieldValue } from '../model/model.ts';
import { isCall } from '../model/values.ts';
import { inParam, type Env } from './env.ts';
import { missingAttribute, unknownArgument } from './diagnostics/attributes.ts';
import { wrongType } from './diagnostics/types.ts';
import { infinite, learnsNothing, outOfRange, partOfAStep, unknownChoice } from './diagnostics/values.ts';

/** The value, or undefined after reporting why there is none. */
export function evaluate(env: Env, e: Expression, type: FieldType): FieldValue | undefined {
  if (e.kind === 'missing') return undefined;
  const name = singleName(e);
  const param = name === null || isOwnWord(name.text, type) ? undefined : env.scope.params.get(name.text);
  if (name !== null && param !== undefined) return evaluate(inParam(env, name), param.value, type);
  switch (type.kind) {
    case 'number':
      return readNumber(env, e, type);
    case 'boolean':
      if (name?.text === 'true' || name?.text === 'false') return name.text === 'true';
      return fail(env, e, type);
    case 'choice':
      return readChoice(env, e, name, type);
    case 'string':
      return e.kind === 'string' ? e.value : fail(env, e, type);
    case 'name':
      return name === null ? fail(env, e, type) : name.text;
    case 'duration':
      return readDuration(env, e, type);
    case 'layers':
      // Filled in by `checkBlocks`, when the part's other attributes are known.
      return null;
    case 'list':
      return readList(env, e, type);
    case 'call':
      return readCall(env, e, name, type);
    case 'any':
      return readAny(env, e, type);
  }
}

/** Says what comes of a zero that lets nothing be learned. */
export function warnOfZero(
  env: Env,
  span: Span,
  key: string,
  row: FieldRow | undefined,
  value: FieldValue | undefined,
): void {
  if (row?.idle !== undefined && value !== undefined && isZero(value))
    env.report(learnsNothing(span, key, row.idle));
}

/** The least normal number of 32 bits. A shader may take what lies below for zero. */
const LEAST = 2 ** -126;

/** Zero in 32 bits; or a way to draw numbers that draws nothing else. */
const isZero = (value: FieldValue): boolean =>
  typeof value === 'number'
    ? Math.abs(value) < LEAST
    : isCall(value) && Object.values(value.args).every((argument) => isZero(argument));

function fail(env: Env, e: Expression, type: FieldType): undefined {
  env.report(wrongType(e, type));
  return undefined;
}

/** Words that a type gives a meaning of its own; a param of that name does not hide them. */
export function isOwnWord(text: string, type: FieldType): boolean {
  switch (type.kind) {
    case 'boolean':
      return text === 'true' || text === 'false';
    case 'choice':
      return type.choices.includes(text);
    case 'call':
      return Object.hasOwn(type.calls, text);
    case 'name':
      return true;
    case 'any':
      return type.of.some((t) => isOwnWord(text, t));
    default:
      return false;
  }
}

/** Whether 32 bits hold a number; false after reporting that it is infinite in them. */
function isHeld(env: Env, e: NumberLiteral): boolean {
  const held = Number.isFinite(Math.fround(e.value));
  if (!held) env.report(infinite(e));
  return held;
}

function readNumber(env: Env, e: Expression, type: FieldType & { kind: 'number' }): number | undefined {
  if (e.kind !== 'number' || e.unit !== null) return fail(env, e, type);
  if (!isHeld(env, e)) return undefined;
  const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity, integer = false } = type;
  const rounded = Math.fround(e.value);
  const inside =
    e.value >= min &&
    e.value <= max &&
    (above === -Infinity || rounded > above) &&
    (below === Infinity || rounded < below);
  if (inside && (!integer || Number.isSafeInteger(e.value))) return e.value;
  env.report(outOfRange(e.span, e.text, type));
  return undefined;
}

function readChoice(
  env: Env,
  e: Expression,
  name: Name | null,
  type: FieldType & { kind: 'choice' },
): FieldValue | undefined {
  if (name === null) return fail(env, e, type);
  if (type.choices.includes(name.text)) return name.text === 'none' ? null : name.text;
  env.report(unknownChoice(name, type.choices));
  return undefined;
}

/** `2 epochs`, `100 steps` or `3%`; a bare number counts steps. */
function readDuration(env: Env, e: Expression, type: FieldType): FieldValue | undefined {
  if (e.kind !== 'number') return fail(env, e, type);
  if (!isHeld(env, e)) return undefined;
  const share = e.text.endsWith('%');
  if (e.value < 0 || (share && (e.value > 1 || e.unit !== null))) {
    env.report(outOfRange(e.span, e.text, { kind: 'number', min: 0 }));
    return undefined;
  }
  const unit = share ? 'share' : e.unit?.text.startsWith('epoch') ? 'epochs' : 'steps';
  if (unit === 'steps' && !Number.isInteger(e.value)) {
    env.report(partOfAStep(e));
    return undefined;
  }
  return { call: 'duration', args: { value: e.value, unit } };
}

function readList(env: Env, e: Expression, type: FieldType & { kind: 'list' }): FieldValue | undefined {
  const wrongLength = e.kind === 'list' && type.length !== undefined && e.items.length !== type.length;
  if (e.kind !== 'list' || wrongLength) return fail(env, e, type);
  const items = e.items.map((item) => evaluate(env, item, type.of));
  const good = items.filter((item): item is FieldValue => item !== undefined);
  return good.length === items.length ? good : undefined;
}

function readCall(
  env: Env,
  e: Expression,
  name: Name | null,
  type: FieldType & { kind: 'call' },
): FieldValue | undefined {
  const called = e.kind === 'call' ? e.name : name;
  if (called === null) return fail(env, e, type);
  const rows = Object.hasOwn(type.calls, called.text) ? type.calls[called.text] : undefined;
  if (rows === undefined) {
    env.report(unknownChoice(called, Object.keys(type.calls), '(...)'));
    return undefined;
  }
  const given = e.kind === 'call' ? e : { name: called, arguments: [], span: e.span };
  const args = readArguments(env, given, rows, type.rest);
  return args === undefined ? undefined : { call: called.text, args };
}

type Rows = Readonly<Record<string, FieldRow>>;

function readArguments(
  env: Env,
  call: Pick<Call, 'name' | 'arguments' | 'span'>,
  rows: Rows,
  rest: FieldType | undefined,
): Readonly<Record<string, FieldValue>> | undefined {
  const values: Record<string, FieldValue> = {};
  let good = true;
  const names = Object.keys(rows);
  call.arguments.forEach((argument, i) => {
    const key = argument.name?.text ?? names[i];
    const type = key === undefined ? undefined : Object.hasOwn(rows, key) ? rows[key]?.type : rest;
    if (key === undefined || type === undefined) {
      env.report(unknownArgument(argument, call.name, names));
      good = false;
      return;
    }
    const value = evaluate(env, argument.value, type);
    if (value === undefined) good = false;
    else values[key] = value;
    warnOfZero(env, argument.span, key, rows[key], value);
  });
  for (const key of names) {
    const row = rows[key];
    if (row === undefined || Object.hasOwn(values, key)) continue;
    if (row.default !== undefined) values[key] = row.default;
    else if (good) {
      env.report(missingAttribute(call.span, `${call.name.text}(...)`, key, row));
      good = false;
    }
  }
  return good ? values : undefined;
}

/** The alternative the value looks like; when it looks like none, all of them are named. */
function readAny(env: Env, e: Expression, type: FieldType & { kind: 'any' }): FieldValue | undefined {
  const alternative = type.of.find((t) => looksLike(e, t));
  if (alternative !== undefined) return evaluate(env, e, alternative);
  const name = singleName(e) ?? (e.kind === 'call' ? e.name : null);
  const words = type.of.flatMap((t) =>
    t.kind === 'choice' ? t.choices : t.kind === 'call' ? Object.keys(t.calls) : [],
  );
  if (name === null || words.length === 0) return fail(env, e, type);
  env.report(unknownChoice(name, words, '', callOfName(type)));
  return undefined;
}

/** The call that takes a name, such as `add(words)`: what a name alone is probably meant for. */
function callOfName(type: FieldType & { kind: 'any' }): string | undefined {
  const calls = type.of.flatMap((t) => (t.kind === 'call' ? Object.entries(t.calls) : []));
  return calls.find(([, rows]) => Object.values(rows)[0]?.type.kind === 'name')?.[0];
}

function looksLike(e: Expression, type: FieldType): boolean {
  const name = singleName(e);
  switch (type.kind) {
    case 'number':
      return e.kind === 'number' && e.unit === null;
    case 'duration':
      return e.kind === 'number';
    case 'string':
      return e.kind === 'string';
    case 'list':
      return e.kind === 'list';
    case 'call':
      return Object.hasOwn(type.calls, e.kind === 'call' ? e.name.text : (name?.text ?? ''));
    case 'any':
      return type.of.some((t) => looksLike(e, t));
    case 'name':
      return name !== null;
    case 'layers':
      return e.kind !== 'string' && e.kind !== 'call';
    case 'boolean':
    case 'choice':
      return name !== null && isOwnWord(name.text, type);
  }
}
