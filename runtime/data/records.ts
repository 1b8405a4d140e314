/**
 * Records from a JSON array or from JSON lines, each with its place in the file for messages.
 */
import * as jsonc from 'jsonc-parser';
import { InputError } from '../input-error.ts';
import { duplicateName, jsonError, position, withinDepth } from '../json.ts';

export interface Located<T = unknown> {
  readonly value: T;
  /** `file:line`, found only when a message needs it. */
  readonly where: () => string;
}

/**
 * Reads a JSON array (`[` first) or JSON lines; empty lines are passed over.
 * @throws InputError with file, line and column where the text is not JSON, or an object gives a name twice
 */
export function parseRecords(text: string, file: string): Located[] {
  const start = text.search(/\S/);
  if (start < 0) throw new InputError(`${file} is empty`, 'give a JSON array, or one JSON object a line');
  return withinDepth(file, () =>
    text[start] === '[' && !startsLines(text) ? parseArray(text, file) : parseLines(text, file),
  );
}

/** JSON lines may hold arrays: then the first line is a whole value and is not the last. */
function startsLines(text: string): boolean {
  const lines = text.trim().split('\n', 2);
  return lines.length > 1 && jsonError(lines[0]!) === null;
}

function parseArray(text: string, file: string): Located[] {
  const list = parseJson(text, (offset) => {
    const { line, column } = position(text, offset);
    return `${file}:${line}:${column}`;
  });
  const where = (index: number): string => {
    const node = jsonc.parseTree(text)?.children?.[index];
    return node ? `${file}:${position(text, node.offset).line}` : file;
  };
  return (list as unknown[]).map((value, index) => ({ value, where: () => where(index) }));
}

function parseLines(text: string, file: string): Located[] {
  const records: Located[] = [];
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    const at = `${file}:${index + 1}`;
    records.push({ value: parseJson(line, (offset) => `${at}:${offset + 1}`), where: () => at });
  });
  return records;
}

function parseJson(text: string, where: (offset: number) => string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const error = jsonError(text);
    throw new InputError(
      `${where(error?.offset ?? 0)}: not valid JSON: ${error?.reason ?? String(cause)}`,
      'correct the line, or take it out',
      { cause },
    );
  }
  // JSON.parse takes the last of two without a word.
  const twice = duplicateName(text);
  if (twice === null) return value;
  throw new InputError(
    `${where(twice.offset)}: \`${twice.name}\` is given twice in one record`,
    'take one of them out, or give them two names',
  );
}

/** The records as objects. @throws InputError for anything else */
export function asObjects(records: readonly Located[]): Located<Readonly<Record<string, unknown>>>[] {
  return records.map(({ value, where }) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { value: value as Readonly<Record<string, unknown>>, where };
    }
    throw new InputError(
      `${where()}: not an object with fields`,
      'write one object for each example, such as {"instruction": "...", "output": "..."}',
    );
  });
}
