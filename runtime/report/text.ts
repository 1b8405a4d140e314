/** Turns a report into text for a terminal. */
import { drawDots, drawLines } from './ascii.ts';
import type { Block, Facts, Report, Table } from './report.ts';

/** Columns of running text. */
const MEASURE = 100;

/** The whole report without its code, since a reader at the terminal has the files. */
export function reportText(report: Report): string {
  const head = [report.title, ...(report.lead === undefined ? [] : ['', wrap(report.lead)])].join('\n');
  const sections = report.sections.flatMap(({ title, blocks }) => {
    const body = blocks.map(blockText).filter((text) => text !== '');
    return body.length === 0 ? [] : [[title, '-'.repeat(title.length), '', body.join('\n\n')].join('\n')];
  });
  return `${[head, ...sections].join('\n\n')}\n`;
}

/** One block as text; empty for code. */
export function blockText(block: Block): string {
  switch (block.kind) {
    case 'text':
      return wrap(block.warning === true ? `! ${block.text}` : block.text);
    case 'facts':
      return factsText(block);
    case 'table':
      return tableText(block);
    case 'tables':
      return block.tables.map(tableText).join('\n\n');
    case 'lines':
      return drawLines(block);
    case 'dots':
      return drawDots(block);
    case 'code':
      return '';
  }
}

function factsText({ rows }: Facts): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

/** A Markdown table with columns as wide as they need to be. */
export function tableText({ title, columns, rows }: Table): string {
  const all = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, i) => Math.max(3, ...all.map((row) => (row[i] ?? '').length)));
  const cell = (text: string, i: number): string =>
    columns[i]?.right === true ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0);
  const line = (row: readonly string[]): string =>
    `| ${columns.map((_, i) => cell(row[i] ?? '', i)).join(' | ')} |`;
  const rule = columns.map(({ right }, i) =>
    right === true ? `${'-'.repeat((widths[i] ?? 3) - 1)}:` : '-'.repeat(widths[i] ?? 3),
  );
  const table = [line(all[0] ?? []), line(rule), ...rows.map(line)].join('\n');
  return title === undefined ? table : `${title}\n\n${table}`;
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > MEASURE) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}
