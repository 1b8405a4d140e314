/** The tiny project with a sweep in it: eight trials, of which two cannot work. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeProject } from './tiny-project.ts';

/** What follows the data of the tiny project. */
export const sweep = `
data held = instructions("held.jsonl")

param many  = 2
param inner = last 1 in first many
param speed = 1e-3

/// How long, how fast, and where.
sweep tries over Pair with short {
  many  = [1, 2]
  inner = [last 1 in first many, last 2 in first many]
  speed = [1e-3, 1e30]
  seed  = [5]
  where speed == 1e-3
}

sweep quick over Pair with short {
  length = [1, 2, 3]
  seed = [0, 1]
  measure = [loss, accuracy, parameters]
}

sweep fast over Pair with short {
  speed = [1e-3, 1e30]
  measure = [loss]
}
`;

/** The spec's text; `steps` are those of its recipe. */
export const sweepSpec = (spec: string, steps = 6): string =>
  spec
    .replace('layers[last 1]', 'layers[inner]')
    .replace('trains words { template', 'trains words { test = held  template')
    .replace('steps = 12', `steps = ${steps}  optimizer = adamw(lr: speed)`) + sweep;

/** Makes the project; its spec is `sweep.adapter`. */
export async function makeSweepProject(folder: string, steps?: number): Promise<void> {
  const path = await makeProject(folder);
  const held = ['ab', 'abc', 'abcc'].map((instruction) => JSON.stringify({ instruction, output: 'cba' }));
  writeFileSync(join(folder, 'held.jsonl'), held.join('\n'));
  writeFileSync(join(folder, 'sweep.adapter'), sweepSpec(readFileSync(path, 'utf8'), steps));
}
