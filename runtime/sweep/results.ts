/** What the trials of a sweep leave in its folder: `results.jsonl`, the source of truth, and `results.csv`, made of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestScore } from '../project/held-out.ts';
import { appendLine, type Line, readLines } from './ledger.ts';
import type { Machine } from './machine.ts';
import type { Identity, PlannedTrial } from './plan.ts';

/** What a finished trial measured. */
export interface Figures {
  /** Mean cross-entropy over the test data; of the last tenth of training where there is none. */
  readonly loss: number;
  readonly lossOf: 'test' | 'training';
  /** Mean over tasks and their test data; null where nothing is asked. */
  readonly accuracy: number | null;
  readonly tests: readonly TestScore[];
  /** Mean of the last tenth of its steps, by task. */
  readonly training: Readonly<Record<string, number>>;
  /** Trained numbers. */
  readonly parameters: number;
  /** Of one training step, by task. */
  readonly flops: Readonly<Record<string, number>>;
  /** Bytes of all buffers of the training package. */
  readonly memory: number;
  /** Seconds of training. */
  readonly time: number;
  readonly steps: number;
  /** Mean |f(g)| of the trained gates, f = tanh or identity, by prompt. */
  readonly gates: Readonly<Record<string, number>>;
  /** Training loss by task: [step, mean loss since the point before]. */
  readonly curve: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

export interface TrialLine extends Machine, Line {
  readonly params: Readonly<Record<string, string>>;
  readonly seed: number | null;
  /** Null where the spec of the trial has errors. */
  readonly identity: Identity | null;
  /** When it began, and seconds it took in all. */
  readonly started: string;
  readonly seconds: number;
  readonly device: string;
  /** One of the two. */
  readonly figures?: Figures;
  readonly failed?: string;
}

const fileOf = (folder: string): string => join(folder, 'results.jsonl');

/** The last line of each trial. */
export const readResults = (folder: string): Map<string, TrialLine> =>
  readLines(fileOf(folder), (value) => 'figures' in value || 'failed' in value);

export const appendResult = (folder: string, line: TrialLine): void => appendLine(fileOf(folder), line);

/** One combination of values, with what its seeds measured. */
export interface Cell {
  readonly combination: number;
  readonly params: Readonly<Record<string, string>>;
  readonly lines: readonly TrialLine[];
  readonly figures: readonly Figures[];
}

/** Whether a line is of this trial as it is planned now. */
export const isSame = (line: TrialLine, { work }: PlannedTrial): boolean =>
  typeof work === 'string'
    ? line.identity === null && line.failed === work
    : JSON.stringify(line.identity) === JSON.stringify(work.identity);

/** `results.csv`: a row for each line, for spreadsheets. */
export function writeCsv(folder: string, lines: readonly TrialLine[]): void {
  const params = [...new Set(lines.flatMap((line) => Object.keys(line.params)))];
  const tests = [...new Set(lines.flatMap((line) => line.figures?.tests ?? []).map(testName))];
  const tasks = [...new Set(lines.flatMap((line) => Object.keys(line.figures?.flops ?? {})))];
  const gates = [...new Set(lines.flatMap((line) => Object.keys(line.figures?.gates ?? {})))];
  const header = [
    ...params,
    'seed',
    'loss',
    'loss_of',
    'accuracy',
    ...tests.flatMap((test) => [`loss ${test}`, `accuracy ${test}`]),
    'parameters',
    ...tasks.map((task) => `flops ${task}`),
    'memory',
    'time',
    'steps',
    ...gates.map((gate) => `gate ${gate}`),
    'failed',
    'started',
    'commit',
  ];
  const rows = lines.map((line) => {
    const f = line.figures;
    const scores = tests.map((test) => f?.tests.find((score) => testName(score) === test));
    return [
      ...params.map((param) => line.params[param]),
      line.seed,
      f?.loss,
      f?.lossOf,
      f?.accuracy,
      ...scores.flatMap((score) => [score?.loss, score?.accuracy]),
      f?.parameters,
      ...tasks.map((task) => f?.flops[task]),
      f?.memory,
      f?.time,
      f?.steps,
      ...gates.map((gate) => f?.gates[gate]),
      line.failed,
      line.started,
      line.commit,
    ];
  });
  const text = [header, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
  writeFileSync(join(folder, 'results.csv'), text);
}

/** `instruct on heldout`. */
export const testName = ({ task, data }: Pick<TestScore, 'task' | 'data'>): string => `${task} on ${data}`;

/** RFC 4180: quoted where it holds a comma, a quote or a line break. */
function csvCell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
