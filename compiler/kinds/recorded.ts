/**
 * A part as recorded runs identify it. Recorded results are found by their parts' attributes, so an attribute that was
 * added to a kind after runs were recorded (`later`) is left out while it has its default, which means what the kind
 * did before.
 */
import type { FieldValue, Part } from '../model/model.ts';
import { isCall } from '../model/values.ts';
import { kindOfPart } from './index.ts';
import { argumentsOf, type Field, type FieldType } from './kind.ts';

/** The part without later attributes at their defaults, and without the names of its places in files. */
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

/**
 * The attributes without later ones that have their defaults; `rows` are the attributes that the kind, or a task, may
 * have.
 */
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
