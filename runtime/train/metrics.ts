/** `metrics.jsonl`: one line a step, cut back to the checkpoint when a run goes on. */
import { mkdir, open, readFile } from 'node:fs/promises';
import { writeWhole } from '../files/write.ts';
import { InputError } from '../input-error.ts';
import type { MetricsFile, StepMetrics } from './run-store.ts';

/** Opens the file for steps from `first` on; later lines of a killed run are dropped, they will come again. */
export async function openMetrics(folder: string, first: number): Promise<MetricsFile> {
  const path = `${folder}/metrics.jsonl`;
  await mkdir(folder, { recursive: true });
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => isBefore(line, first));
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
  // Whole or not at all: a run that is killed here still has the lines of its earlier steps.
  await writeWhole(path, bytes.length, [bytes]);
  const file = await open(path, 'a');
  const start = performance.now();
  return {
    kept: lines.map((line) => JSON.parse(line) as StepMetrics),
    async append(metrics) {
      // NaN is no JSON: a step that diverged is written as null.
      await file.appendFile(`${JSON.stringify(metrics)}\n`).catch((cause: unknown) => {
        throw new InputError(
          `cannot write ${path}: ${String(cause)}`,
          'free some space; the run goes on from its last checkpoint',
          { cause },
        );
      });
    },
    seconds: () => Math.round(performance.now() - start) / 1000,
    close: () => file.close(),
  };
}

/** A line that a kill cut short is not kept. */
function isBefore(line: string, first: number): boolean {
  try {
    return (JSON.parse(line) as StepMetrics).step < first;
  } catch {
    return false;
  }
}
