/** Figures and tables on a terminal. */

/** `6,738,415,616`, whatever the locale. */
export const figure = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

/** Columns padded to their widest cell; those listed in `right` are flush right. */
export function alignColumns(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((r) => (r[i] ?? '').length)));
  const pad = (cell: string, i: number): string =>
    right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0);
  return rows.map((r) => r.map(pad).join('  ').trimEnd()).join('\n');
}
