/**
 * Decides which task a step trains, by recipe, seed and step alone, so that a resumed run trains the same tasks as an
 * uninterrupted one.
 */
import type { Recipe } from '../../compiler/model/recipe.ts';

/** Turns of each task before a step, and the task of the step itself. */
export interface Turn {
  readonly task: string;
  /** How many steps of this task came before: the index of its batch. */
  readonly index: number;
}

/** The turns of a run of `length` steps, one after the other, from step 0. */
export function* turns(
  recipe: Pick<Recipe, 'mix'>,
  length: number,
  random: (step: number) => number,
): Generator<Turn, never> {
  const counts = new Map<string, number>();
  for (let step = 0; ; step++) {
    const task = taskAt(recipe.mix, step, length, random);
    const index = counts.get(task) ?? 0;
    counts.set(task, index + 1);
    yield { task, index };
  }
}

/** The number of a run's steps that train a task; for tasks drawn at random, the expected number. */
export function stepsOfTask({ kind, parts }: Recipe['mix'], task: string, length: number): number {
  const total = parts.reduce((sum, part) => sum + part.count, 0);
  const at = parts.findIndex((part) => part.task === task);
  const count = parts[at]?.count ?? 0;
  const before = parts.slice(0, at).reduce((sum, part) => sum + part.count, 0);
  switch (kind) {
    case 'alternate': {
      const rest = Math.max(0, Math.min(count, (length % total) - before));
      return Math.floor(length / total) * count + rest;
    }
    case 'staged':
      return Math.ceil(((before + count) * length) / total) - Math.ceil((before * length) / total);
    case 'proportional':
      return Math.round((length * count) / total);
  }
}

/**
 * `alternate(a: 2, b: 3)`: a a b b b a a ...; `proportional`: drawn with these odds; `staged(a: 1, b: 2)`: a for the
 * first third of the run, then b.
 */
function taskAt(mix: Recipe['mix'], step: number, length: number, random: (step: number) => number): string {
  const total = mix.parts.reduce((sum, part) => sum + part.count, 0);
  const position =
    mix.kind === 'alternate'
      ? step % total
      : mix.kind === 'staged'
        ? (step * total) / length
        : random(step) * total;
  let passed = 0;
  for (const part of mix.parts) {
    passed += part.count;
    if (position < passed) return part.task;
  }
  return mix.parts.at(-1)?.task ?? '';
}
