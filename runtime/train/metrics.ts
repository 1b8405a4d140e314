/** `metrics.jsonl`: one line a step. When a run continues, lines of steps after its checkpoint are removed. */
import { mkdir, open, readFile } from 'node:fs/promises';
import { writeText } from '../files/write.ts';
import { InputError } from '../input-error.ts';
import type { MetricsFile, StepMetrics } from './run-store.ts';

/**
 * Opens the file for steps from `first` on. Lines of later steps, left by a killed run, are removed, since these steps
 * are run again.
 */
export async function openMetrics(folder: string, first: number): Promise<MetricsFile> {
  const path = `${folder}/metrics.jsonl`;
  await mkdir(folder, { recursive: true });
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => isBefore(line, first));
  // The new file is renamed when it is complete, so a run that is killed here keeps the lines of its earlier steps.
  await writeText(path, lines.map((line) => `${line}\n`).join(''));
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

/** A line that was cut short by a kill is not kept. */
function isBefore(line: string, first: number): boolean {
  try {
    return (JSON.parse(line) as StepMetrics).step < first;
  } catch {
    return false;
  }
}
