/** Finished trials as a report: a table for each schedule, what becomes of the instructions, and what it costs. */
import {
  type Block,
  grouped,
  type Lines,
  markOf,
  printMark,
  type Report,
} from '../../runtime/report/report.ts';
import { designs, type Schedule, schedules } from './designs.ts';
import type { Figure, Figures } from './score.ts';
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

/** Columns of the tables. */
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
const allFigures = Object.keys(columns) as Figure[];

/** Mean of the seeds, and from least to most; empty for what no trial has. */
export const meanAndSpread = (values: readonly (number | null)[], digits = 2): string =>
  printMark(markOf(values), (value) => value.toFixed(digits));

const right = (title: string) => ({ title, right: true });

/** One table a schedule; a sequential trial has a row for each time it was measured. */
export function interference(
  lines: readonly Line<Outcome>[],
  figures: readonly Figure[],
): Report['sections'] {
  return (Object.keys(schedules) as Schedule[]).flatMap((schedule) => {
    const rows = Object.entries(designs).flatMap(([design, { title }]) =>
      rowsOf(outcomesOf(lines, design, schedule), title, figures),
    );
    if (rows.length === 0) return [];
    const header = [
      { title: 'design' },
      { title: 'after' },
      right('seeds'),
      ...figures.map((figure) => right(columns[figure])),
    ];
    const blocks: Block[] = [{ kind: 'table', columns: header, rows }];
    return [
      {
        title: schedules[schedule],
        blocks: [...blocks, ...(schedule === 'sequential' ? [forgetting(lines)] : [])],
      },
    ];
  });
}

const outcomesOf = (lines: readonly Line<Outcome>[], design: string, schedule: string): Outcome[] =>
  lines.flatMap((line) =>
    line.design === design && line.schedule === schedule && isFinished(line) ? [line.result] : [],
  );

function rowsOf(outcomes: readonly Outcome[], title: string, figures: readonly Figure[]): string[][] {
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

/** What becomes of the instructions while captions are trained. */
function forgetting(lines: readonly Line<Outcome>[]): Lines {
  const series = Object.entries(designs).flatMap(([design, { title }]) => {
    const outcomes = outcomesOf(lines, design, 'sequential');
    const points = (outcomes[0]?.points ?? []).flatMap(({ steps }, index) => {
      const mark = markOf(outcomes.map(({ points }) => points[index]?.figures.text));
      return mark === null ? [] : [{ x: steps['caption'] ?? 0, ...mark }];
    });
    return points.length === 0 ? [] : [{ name: title, points }];
  });
  return {
    kind: 'lines',
    title: 'Instructions right, held-out words, no image',
    x: { label: 'caption steps', from: 0 },
    y: { label: 'exact matches', from: 0, to: 1 },
    series,
  };
}

/** What each design costs: trained numbers and seconds of training. */
function costs(lines: readonly Line<Outcome>[]): Block {
  const rows = Object.entries(designs).flatMap(([design, { title }]) =>
    (Object.keys(schedules) as Schedule[]).flatMap((schedule) => {
      const own = outcomesOf(lines, design, schedule);
      if (own.length === 0) return [];
      const seconds = meanAndSpread(
        own.map(({ training }) => training),
        0,
      );
      return [[title, schedules[schedule], grouped(own[0]?.trained ?? 0), seconds]];
    }),
  );
  const header = [{ title: 'design' }, { title: 'schedule' }, right('trained'), right('seconds')];
  return { kind: 'table', columns: header, rows };
}

/** Where the figures come from. */
function origin(lines: readonly Line<Outcome>[]): Block {
  const done = lines.filter(isFinished);
  const all = (values: readonly (string | number)[]): string =>
    [...new Set(values.map(String))].sort().join(', ');
  const hours = done.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  return {
    kind: 'facts',
    rows: [
      ['trials', `${done.length}, ${hours.toFixed(1)} hours in all`],
      ['seeds', all(done.map(({ seed }) => seed))],
      ['device', all(done.map(({ result }) => result.device))],
      ['commit', all(done.map(({ result }) => result.commit))],
    ],
  };
}

export interface ReportOptions {
  readonly lead?: string;
  /** Columns of the tables; all of them unless it says which. */
  readonly figures?: readonly Figure[];
  /** Specs to show, by name. */
  readonly specs?: Readonly<Record<string, string>>;
}

/** All of it. */
export function fusionReport(lines: readonly Line<Outcome>[], options: ReportOptions = {}): Report {
  const failed = lines.filter((line) => !isFinished(line));
  const failures: Block[] = failed.map((line) => ({
    kind: 'text',
    warning: true,
    text: `failed: ${keyOf(line)}: ${'error' in line ? line.error : ''}`,
  }));
  const specs = Object.entries(options.specs ?? {}).map(([title, text]): Block => ({
    kind: 'code',
    title,
    text,
  }));
  return {
    title: 'Where an image enters, and who trains what',
    lead:
      options.lead ??
      'The fusion experiment of Graft: means over the seeds, in brackets the least and the most. Shares are of exact matches; losses are nats an answer token; gates are mean |tanh g|.',
    sections: [
      ...interference(lines, options.figures ?? allFigures),
      { title: 'What it costs', blocks: [costs(lines)] },
      { title: 'Where the figures come from', blocks: [origin(lines), ...failures] },
      ...(specs.length === 0 ? [] : [{ title: 'The spec', blocks: specs }]),
    ],
  };
}
