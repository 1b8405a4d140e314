/**
 * A part as recorded runs know it. A run's results are found again by what its parts are, so an attribute that a kind gained
 * after runs were recorded (`later`) is left out while it holds its default: it then means what the kind did before.
 */
import type { FieldValue, Part } from '../model/model.ts';
import { isCall } from './fields.ts';
import { kindOfPart } from './index.ts';
import type { Field, FieldType } from './kind.ts';

/** The part without what says nothing new: later attributes at their defaults, and what files call its places. */
export function recordedPart(part: Part): unknown {
  const { kind, name, layers, sites, ...rest } = part;
  const places = sites.map(
    ({ place: _p, word: _w, role: _role, huggingface: _h, letter: _l, reads: _r, ...site }) => site,
  );
  return {
    kind,
    name,
    layers,
    sites: places,
    ...rest,
    fields: recordedFields(part.fields, kindOfPart(part).fields),
  };
}

type Fields = Readonly<Record<string, FieldValue>>;

/** Attributes without the later ones that hold their defaults; `rows` are those that the kind, or a task, may have. */
export const recordedFields = (values: Fields, rows: Readonly<Record<string, Field>>): Fields =>
  Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => {
      const row = rows[key];
      if (row?.later && value === row.default) return [];
      return [[key, row === undefined ? value : recordedValue(value, row.type)]];
    }),
  );

function recordedValue(value: FieldValue, type: FieldType): FieldValue {
  if (!isCall(value)) return value;
  const rows = argumentsOf(type, value.call);
  return rows === undefined ? value : { call: value.call, args: recordedFields(value.args, rows) };
}

/** The arguments of a call that a value of this type may be. */
function argumentsOf(type: FieldType, call: string): Readonly<Record<string, Field>> | undefined {
  if (type.kind === 'call') return type.calls[call];
  return type.kind === 'any' ? type.of.map((one) => argumentsOf(one, call)).find((rows) => rows) : undefined;
}
