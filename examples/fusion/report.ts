/** Finished trials as tables and as a plot of characters. */
import { table } from '../base/evaluate.ts';
import { designs, type Schedule, schedules } from './designs.ts';
import { type Figure, type Figures, mean } from './score.ts';
import { isFinished, keyOf, type Line } from './trials.ts';

/** A measurement inside of a trial. */
export interface Point {
  /** Steps taken so far, by task. */
  readonly steps: Readonly<Record<string, number>>;
  readonly figures: Figures;
}

/** What a trial leaves behind. */
export interface Outcome {
  readonly points: readonly Point[];
  /** Trained numbers. */
  readonly trained: number;
  /** Seconds of training alone. */
  readonly training: number;
  readonly device: string;
  readonly commit: string;
}

/** Columns of the table. */
export const columns: Readonly<Record<Figure, string>> = {
  text: 'text',
  textLoss: 'loss',
  pictured: '+ image',
  picturedLoss: 'loss',
  questions: 'asked of image',
  questionsHeld: 'other concepts',
  captions: 'captions',
  captionsHeldStyle: 'held-out style',
  captionsHeldConcepts: 'held-out concepts',
  gateEarly: 'gate early',
  gateLate: 'gate late',
};
const figures = Object.keys(columns) as Figure[];

/** Mean of the seeds, and from least to most; empty for what no trial has. */
export function meanAndSpread(values: readonly (number | null)[], digits = 2): string {
  const own = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (own.length === 0) return '';
  const show = (value: number): string => value.toFixed(digits);
  const [least, most] = [show(Math.min(...own)), show(Math.max(...own))];
  return least === most ? show(mean(own)) : `${show(mean(own))} (${least}-${most})`;
}

/** One table a schedule; a sequential trial has a row for each time it was measured. */
export function interferenceTables(lines: readonly Line<Outcome>[]): string {
  const sections = (Object.keys(schedules) as Schedule[]).flatMap((schedule) => {
    const rows = Object.entries(designs).flatMap(([design, { title }]) =>
      rowsOf(outcomesOf(lines, design, schedule), title),
    );
    if (rows.length === 0) return [];
    const header = ['design', 'after', 'seeds', ...Object.values(columns)];
    return [`${schedules[schedule]}\n\n${table(header, rows)}`];
  });
  const failed = lines.flatMap((line) => (isFinished(line) ? [] : [`failed: ${keyOf(line)}: ${line.error}`]));
  return [...sections, ...(failed.length > 0 ? [failed.join('\n')] : [])].join('\n\n');
}

const outcomesOf = (lines: readonly Line<Outcome>[], design: string, schedule: string): Outcome[] =>
  lines.flatMap((line) =>
    line.design === design && line.schedule === schedule && isFinished(line) ? [line.result] : [],
  );

function rowsOf(outcomes: readonly Outcome[], title: string): string[][] {
  const points = outcomes[0]?.points ?? [];
  return points.map(({ steps }, index) => {
    const own = outcomes.flatMap(({ points }) => points[index] ?? []);
    const cells = figures.map((figure) => meanAndSpread(own.map((point) => point.figures[figure])));
    return [index === 0 ? title : '', stepsText(steps), String(own.length), ...cells];
  });
}

/** `400 instruct, 150 caption`. */
export const stepsText = (steps: Readonly<Record<string, number>>): string =>
  Object.entries(steps)
    .filter(([, count]) => count > 0)
    .map(([task, count]) => `${count} ${task.replace(/_.*/, '')}`)
    .join(', ');

/** What each design costs: trained numbers and seconds of training. */
export function costTable(lines: readonly Line<Outcome>[]): string {
  const rows = Object.entries(designs).flatMap(([design, { title }]) =>
    (Object.keys(schedules) as Schedule[]).flatMap((schedule) => {
      const own = outcomesOf(lines, design, schedule);
      if (own.length === 0) return [];
      const seconds = meanAndSpread(
        own.map(({ training }) => training),
        0,
      );
      return [[title, schedules[schedule], own[0]?.trained.toLocaleString('en-US') ?? '', seconds]];
    }),
  );
  return table(['design', 'schedule', 'trained', 'seconds'], rows);
}

export interface Series {
  readonly name: string;
  /** [x, y], y from 0 to 1. */
  readonly points: readonly (readonly [number, number])[];
}

const MARKS = 'abcdefgh';
const WIDTH = 60;
const HEIGHT = 12;

/** Curves from 0 to 1 in characters, one letter a series; `*` where several meet. */
export function plot(title: string, axis: string, series: readonly Series[]): string {
  const all = series.flatMap(({ points }) => points);
  if (all.length === 0) return '';
  const right = Math.max(1, ...all.map(([x]) => x));
  const cells = Array.from({ length: HEIGHT + 1 }, () => Array.from({ length: WIDTH + 1 }, () => ' '));
  series.forEach(({ points }, index) => {
    for (const [x, y] of points) {
      const row = cells[Math.round((1 - Math.min(1, Math.max(0, y))) * HEIGHT)];
      const column = Math.round((x / right) * WIDTH);
      if (row) row[column] = row[column] === ' ' ? (MARKS[index] ?? '?') : '*';
    }
  });
  const body = cells.map((row, i) => {
    const label = i % 3 === 0 ? (1 - i / HEIGHT).toFixed(2) : '    ';
    return `${label} |${row.join('').trimEnd()}`;
  });
  const ruler = `     +${'-'.repeat(WIDTH + 1)}`;
  const scale = `      0${axis.padStart(Math.ceil((WIDTH + axis.length) / 2)).padEnd(WIDTH - String(right).length)}${right}`;
  const legend = series.map(({ name }, i) => `  ${MARKS[i] ?? '?'} ${name}`);
  return [title, ...body, ruler, scale, ...legend].join('\n');
}

/** What becomes of the instructions while captions are trained, by the means of the seeds. */
export function forgettingPlot(lines: readonly Line<Outcome>[]): string {
  const series = Object.entries(designs).flatMap(([design, { title }]): Series[] => {
    const outcomes = outcomesOf(lines, design, 'sequential');
    const points = (outcomes[0]?.points ?? []).map(({ steps }, index): [number, number] => [
      steps['caption'] ?? 0,
      mean(outcomes.flatMap(({ points }) => points[index]?.figures.text ?? [])),
    ]);
    return points.length === 0 ? [] : [{ name: title, points }];
  });
  return plot('instructions right (held-out words, no image)', 'caption steps', series);
}

/** All of it, as `run.ts` prints it. */
export function report(lines: readonly Line<Outcome>[]): string {
  const parts = [interferenceTables(lines), forgettingPlot(lines), costTable(lines)];
  return parts.filter((part) => part !== '').join('\n\n');
}
