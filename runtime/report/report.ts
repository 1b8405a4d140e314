/**
 * A report as plain data: its contents without their appearance. `html.ts` turns it into one self-contained page,
 * `text.ts` into text for a terminal, with the same contents.
 */

export interface Report {
  readonly title: string;
  /** The subject of the report, in a sentence or two. */
  readonly lead?: string;
  readonly sections: readonly Section[];
}

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export type Block = Text | Facts | Table | Tables | Lines | Dots | Code;

/** A paragraph. */
export interface Text {
  readonly kind: 'text';
  readonly text: string;
  /** A warning to the reader. */
  readonly warning?: boolean;
}

/** Names and their values, a line each. */
export interface Facts {
  readonly kind: 'facts';
  readonly rows: readonly (readonly [name: string, value: string])[];
}

export interface Column {
  readonly title: string;
  /** Whether the column is aligned to the right, as numbers are. */
  readonly right?: boolean;
}

export interface Table {
  readonly kind: 'table';
  readonly title?: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** Small tables that stand beside each other where there is room. */
export interface Tables {
  readonly kind: 'tables';
  readonly tables: readonly Table[];
}

/** A numeric axis. Omitted bounds are the least and the most of the numbers. */
export interface Scale {
  readonly label: string;
  readonly from?: number;
  readonly to?: number;
}

/** A mean, with the least and the most of its numbers. */
export interface Mark {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** Curves over a numeric axis. */
export interface Lines {
  readonly kind: 'lines';
  readonly title: string;
  readonly x: Scale;
  readonly y: Scale;
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (Mark & { readonly x: number })[];
  }[];
}

/** A row for each of several things, with a mark for each series on one scale. */
export interface Dots {
  readonly kind: 'dots';
  readonly title: string;
  readonly scale: Scale;
  /** Names of the series; one empty name where there is only one series. */
  readonly series: readonly string[];
  /** The rows; `marks` are in the order of the series. */
  readonly rows: readonly { readonly name: string; readonly marks: readonly (Mark | null)[] }[];
}

/** Text with its line breaks. */
export interface Code {
  readonly kind: 'code';
  readonly title?: string;
  readonly text: string;
}

/** The most series that one plot shows with distinct looks. */
export const MOST_SERIES = 8;

/** Mean, least and most of the values that are numbers; null when none is. */
export function markOf(values: readonly (number | null | undefined)[]): Mark | null {
  const own = values.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
  if (own.length === 0) return null;
  const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
  return { mean, least: Math.min(...own), most: Math.max(...own) };
}

/** A mark as text: `0.52 (0.50-0.55)`, the mean alone where least and most round to the same text, empty for null. */
export function printMark(mark: Mark | null, show: (value: number) => string): string {
  if (mark === null) return '';
  const [mean, least, most] = [mark.mean, mark.least, mark.most].map(show);
  return least === most ? (mean ?? '') : `${mean} (${least}-${most})`;
}

/** `1,234,567`, whatever the locale. */
export const grouped = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

/** Bounds of a scale: the given ones, else the least and the most of the numbers. */
export function boundsOf({ from, to }: Scale, values: readonly number[]): readonly [number, number] {
  const finite = values.filter(Number.isFinite);
  const low = from ?? (finite.length === 0 ? 0 : Math.min(...finite));
  const high = to ?? (finite.length === 0 ? 1 : Math.max(...finite));
  if (low < high) return [low, high];
  const [below, above] = from !== undefined ? [0, 1] : to !== undefined ? [1, 0] : [0.5, 0.5];
  return [low - below, low + above];
}

/** Text in which control characters and lone surrogates are replaced, since no page may contain them. */
export const printable = (text: string): string => text.replace(/\p{Cs}|(?![\t\n\r])\p{Cc}/gu, '\ufffd');
