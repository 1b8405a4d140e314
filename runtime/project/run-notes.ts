/** What a run will do with its data and its learning rate, said before it begins. */
import type { Recipe } from '../../compiler/model/recipe.ts';
import { stepsAnEpoch } from '../data/batches.ts';
import { stepsOfTask } from '../train/mix.ts';
import { counted, endsInWarmup, horizonOf, learningRate, stepsPerEpoch } from '../train/learning-rate.ts';
import type { RecipeData } from './recipe-data.ts';

type Data = Pick<RecipeData, 'datasets' | 'batches'>;

export interface RunNotes {
  /** A line for each task: how often the run sees its examples. */
  readonly passes: readonly string[];
  /** What of the recipe does not suit its data or the length that they make it, and what of the data may not be meant. */
  readonly warnings: readonly string[];
}

/** @throws InputError when the recipe comes to no step at all */
export function runNotes(recipe: Recipe, data: Data): RunNotes {
  const horizon = horizonOf(recipe, stepsPerEpoch({ recipe, data: data.batches }));
  const passes: string[] = [];
  const warnings: string[] = [];
  for (const [task, dataset] of data.datasets) {
    warnings.push(...(dataset.report.remarks ?? []).map((remark) => `${task}: ${remark}`));
    const batches = data.batches.get(task);
    const steps = stepsOfTask(recipe.mix, task, horizon.total);
    if (!batches || steps === 0) continue;
    const about = recipe.mix.kind === 'proportional' ? 'about ' : '';
    const { length } = dataset.examples;
    const epoch = stepsAnEpoch(batches, recipe.accumulate);
    const rest = Math.min(length, (steps % epoch) * recipe.accumulate * recipe.batch);
    passes.push(
      `${task}: ${about}${counted(steps, 'step')}, ${seen(length, Math.floor(steps / epoch), rest)}`,
    );
    if (recipe.accumulate > batches.perEpoch)
      warnings.push(
        `${task}: accumulate = ${recipe.accumulate}, but the data has ${counted(batches.perEpoch, 'micro-batch', 'es')}: ` +
          'a step takes those, and no example twice',
      );
  }
  if (endsInWarmup(recipe, horizon)) {
    const end = learningRate(recipe, horizon, horizon.total - 1);
    warnings.push(
      `recipe \`${recipe.name}\`: the warm-up is longer than the run of ${counted(horizon.total, 'step')}: the learning rate ` +
        `reaches ${end.toPrecision(2)} of ${recipe.optimizer.lr}; write a shorter one, such as \`warmup: 10%\``,
    );
  }
  return { passes, warnings };
}

/** `each of 7 examples twice, 3 of them once more`. */
function seen(examples: number, passes: number, rest: number): string {
  if (passes === 0) return `${rest} of ${examples} examples once; the others sit out`;
  const times = passes === 1 ? 'once' : passes === 2 ? 'twice' : `${passes} times`;
  return `each of ${counted(examples, 'example')} ${times}${rest === 0 ? '' : `, ${rest} of them once more`}`;
}
