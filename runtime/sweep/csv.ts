/** Results as a table for spreadsheets. */
import { testName, type TrialLine } from './results.ts';

/** `results.csv`: a row for each line, for spreadsheets. */
export function csvOf(lines: readonly TrialLine[]): string {
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
  return [header, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** RFC 4180: quoted where it holds a comma, a quote or a line break. */
function csvCell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
