/** Tables of a sweep: means over the seeds, every trial, and those that failed. */
import type { Measure, Sweep } from '../../compiler/model/sweep.ts';
import { type Column, grouped, type Mark, markOf, printMark, type Table } from '../report/report.ts';
import type { PlannedTrial } from './plan.ts';
import { type CombinationResult, type Figures, linesOf, testName, type TrialLine } from './results.ts';

const share = (value: number): string => value.toFixed(2);
const nats = (value: number): string => value.toFixed(3);
const mega = (value: number): string => (value < 1e8 ? (value / 1e6).toFixed(1) : grouped(value / 1e6));
const mebi = (value: number): string => (value / 2 ** 20).toFixed(1);
const seconds = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

interface Figure {
  readonly title: string;
  readonly measure: Measure | null;
  readonly of: (figures: Figures) => number | null | undefined;
  readonly show: (value: number) => string;
}

/** Columns of the tables: the measures of the sweep that at least one trial has. */
function figuresOf(sweep: Sweep, all: readonly Figures[]): Figure[] {
  const tests = [...new Set(all.flatMap((f) => f.tests.map(testName)))];
  const tasks = [...new Set(all.flatMap((f) => Object.keys(f.flops)))];
  const gates = [...new Set(all.flatMap((f) => Object.keys(f.gates)))];
  const scoreOf = (f: Figures, name: string) => f.tests.find((score) => testName(score) === name);
  const many = tests.length > 1;
  const columns: Figure[] = [
    { title: many ? 'loss, mean' : 'loss', measure: 'loss', of: (f) => f.loss, show: nats },
    ...(many ? tests : []).map((name): Figure => ({
      title: `loss ${name}`,
      measure: 'loss',
      of: (f) => scoreOf(f, name)?.loss,
      show: nats,
    })),
    { title: many ? 'accuracy, mean' : 'accuracy', measure: 'accuracy', of: (f) => f.accuracy, show: share },
    ...(many ? tests : []).map((name): Figure => ({
      title: `accuracy ${name}`,
      measure: 'accuracy',
      of: (f) => scoreOf(f, name)?.accuracy,
      show: share,
    })),
    ...gates.map((name): Figure => ({
      title: `gate ${name}`,
      measure: null,
      of: (f) => f.gates[name],
      show: share,
    })),
    { title: 'trained numbers', measure: 'parameters', of: (f) => f.parameters, show: grouped },
    ...tasks.map((task): Figure => ({
      title: tasks.length > 1 ? `MFLOP a step, ${task}` : 'MFLOP a step',
      measure: 'flops',
      of: (f) => f.flops[task],
      show: mega,
    })),
    { title: 'MiB', measure: 'memory', of: (f) => f.memory, show: mebi },
    { title: 'seconds', measure: 'time', of: (f) => f.time, show: seconds },
  ];
  return columns.filter(
    ({ measure, of }) =>
      (measure === null || sweep.measure.includes(measure)) && all.some((f) => Number.isFinite(of(f) ?? NaN)),
  );
}

/** Means over the seeds, a row for each combination. */
export function resultTable(sweep: Sweep, cells: readonly CombinationResult[]): Table {
  const figures = figuresOf(
    sweep,
    cells.flatMap((cell) => cell.figures),
  );
  const columns: Column[] = [
    ...sweep.axes.map(({ param }) => ({ title: param })),
    { title: 'seeds', right: true },
    ...figures.map(({ title }) => ({ title, right: true })),
  ];
  const rows = cells.map((cell) => [
    ...sweep.axes.map(({ param }) => cell.params[param] ?? ''),
    String(cell.figures.length),
    ...figures.map(({ of, show }) => printMark(markOf(cell.figures.map(of)), show)),
  ]);
  return { kind: 'table', title: 'Means over the seeds, with the least and the most', columns, rows };
}

/** Why trials failed. */
export function failedTable(failed: readonly TrialLine[]): Table {
  const rows = failed.map((line) => [line.trial, oneLine(line.failed ?? '')]);
  return { kind: 'table', columns: [{ title: 'trial' }, { title: 'why' }], rows };
}

const oneLine = (text: string): string => text.trim().replace(/\s+/g, ' ');

/** A row for each trial, in the order in which they run; trials without a result are included. */
export function trialTable(
  sweep: Sweep,
  trials: readonly PlannedTrial[],
  results: ReadonlyMap<string, TrialLine>,
): Table {
  const all = trials.flatMap((trial) => results.get(trial.key)?.figures ?? []);
  // Measures that do not depend on the seed are in the table of means only.
  const figures = figuresOf(sweep, all).filter(
    ({ measure }) => measure === null || !['parameters', 'flops', 'memory'].includes(measure),
  );
  const columns: Column[] = [
    ...sweep.axes.map(({ param }) => ({ title: param })),
    { title: 'seed', right: true },
    { title: 'state' },
    ...figures.map(({ title }) => ({ title, right: true })),
    { title: 'started, UTC' },
  ];
  const rows = trials.map((trial) => {
    const [own] = linesOf([trial], results);
    const state = own === undefined ? 'not run' : own.failed === undefined ? 'finished' : 'failed';
    const seed = trial.seed ?? (typeof trial.work === 'string' ? null : trial.work.recipe.seed);
    const one = (value: number | null | undefined): Mark | null => markOf([value]);
    return [
      ...sweep.axes.map(({ param }) => trial.params[param] ?? ''),
      seed === null ? '' : String(seed),
      state,
      ...figures.map(({ of, show }) => printMark(own?.figures ? one(of(own.figures)) : null, show)),
      own?.started.replace('T', ' ').replace(/\..*$/, '') ?? '',
    ];
  });
  return { kind: 'table', columns, rows };
}
