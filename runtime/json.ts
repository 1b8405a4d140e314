/**
 * JSON that says where it is wrong, and refuses a name that is given twice (JSON.parse takes the last silently).
 */
import * as jsonc from 'jsonc-parser';
import { InputError } from './input-error.ts';

/** Line and column of an offset, counted from 1. */
export function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/**
 * Where `text` stops being JSON, and why; null when it is JSON.
 */
export function jsonError(text: string): { offset: number; reason: string } | null {
  const errors: jsonc.ParseError[] = [];
  jsonc.parse(text, errors, { disallowComments: true });
  const first = errors[0];
  if (!first) return null;
  // `ValueExpected` -> `value expected`
  const reason = jsonc
    .printParseErrorCode(first.error)
    .replace(/(?!^)([A-Z])/g, ' $1')
    .toLowerCase();
  return { offset: first.offset, reason };
}

/**
 * Runs a reading of JSON, which overflows the stack where a text nests without end.
 * @throws InputError then, and whatever `read` throws
 */
export function withinDepth<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new InputError(
      `${where}: lists and objects lie in one another too deep to be read`,
      'the file is damaged or of another kind: get it again',
      { cause },
    );
  }
}

/**
 * Parses JSON, refusing duplicate names at any depth.
 * @param where what messages put first, such as a file name
 * @throws InputError with line and column
 */
export const parseJsonStrict = (text: string, where: string): unknown =>
  withinDepth(where, () => parseStrict(text, where));

function parseStrict(text: string, where: string): unknown {
  const at = (offset: number): string => {
    const { line, column } = position(text, offset);
    return `${where}:${line}:${column}`;
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const error = jsonError(text);
    throw new InputError(
      `${error ? at(error.offset) : where}: not valid JSON: ${error?.reason ?? String(cause)}`,
      'the file is damaged or of another format',
      { cause },
    );
  }
  const twice = duplicateName(text);
  if (twice === null) return value;
  throw new InputError(
    `${at(twice.offset)}: \`${twice.name}\` is given twice`,
    'the file is damaged: get it again',
  );
}

/** The first name that an object of `text`, which is JSON, gives twice, and where the second stands; null: none. */
export function duplicateName(text: string): { readonly name: string; readonly offset: number } | null {
  const names: Set<string>[] = [];
  let found: { readonly name: string; readonly offset: number } | null = null;
  jsonc.visit(text, {
    onObjectBegin: () => void names.push(new Set()),
    onObjectEnd: () => void names.pop(),
    onObjectProperty: (name, offset) => {
      if (names.at(-1)?.has(name)) found ??= { name, offset };
      names.at(-1)?.add(name);
    },
  });
  return found;
}
