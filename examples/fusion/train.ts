/** Training a candidate by the stages of its recipe, with a stop wherever it is to be measured. */
import { showsImages } from '../../compiler/compile/tasks.ts';
import type { Task } from '../../compiler/model/model.ts';
import { createRandom } from '../../runtime/random.ts';
import { parameterNamed, readParameter, writeParameter } from '../../runtime/session.ts';
import { turns } from '../../runtime/train/mix.ts';
import { horizonOf, learningRate } from '../../runtime/train/learning-rate.ts';
import { type StepResult, trainStep } from '../../runtime/train/trainer.ts';
import type { Stage } from './designs.ts';
import type { Candidate } from './candidate.ts';

/** Steps whose results are not yet read, so that the device is never idle for a read. */
const IN_FLIGHT = 3;

/** What to do on the way; `steps` are those taken so far, by task. */
export interface Watch {
  /** Called where a stage is to be measured. */
  readonly onMeasure: (steps: Readonly<Record<string, number>>) => Promise<void>;
  readonly onStep?: (task: string, loss: number, done: number, of: number) => void;
}

/**
 * What first stages left behind. One that trains on text alone leaves the same in every design that trains the same
 * parts on it, to the last bit, wherever the image enters: it is run once for a seed.
 */
export type Memory = Map<string, ReadonlyMap<string, Float32Array>>;

/** What a stage of so many steps of one task is remembered by. */
export const memoryKey = (
  { name, trains }: Pick<Task, 'name' | 'trains'>,
  steps: number,
  seed: number,
): string => JSON.stringify([name, steps, seed, trains]);

/** Trains all stages. @throws Error when a loss or a gradient is not finite */
export async function trainStages(
  candidate: Candidate,
  stages: readonly Stage[],
  watch: Watch,
  memory: Memory = new Map(),
): Promise<void> {
  const steps: Record<string, number> = {};
  const of = stages.reduce((sum, stage) => sum + stage.steps, 0);
  let read = 0;
  for (const [place, stage] of stages.entries()) {
    const alone = place === 0 ? textTaskOf(candidate, stage) : null;
    const key = alone && memoryKey(alone, stage.steps, stage.recipe.seed);
    const known = key === null ? undefined : memory.get(key);
    if (alone && known) {
      recall(candidate, known);
      steps[alone.name] = read = stage.steps;
      if (stage.measureAt.includes(stage.steps)) await watch.onMeasure({ ...steps });
      continue;
    }
    startAnew(candidate);
    const pending: { readonly task: string; readonly result: Promise<StepResult> }[] = [];
    const drain = async (left: number): Promise<void> => {
      while (pending.length > left) {
        const next = pending.shift();
        if (!next) return;
        const { loss, finite } = await next.result;
        if (!finite) throw new Error(`step ${read}, ${next.task}: the loss or a gradient is not finite`);
        watch.onStep?.(next.task, loss, ++read, of);
      }
    };
    for (const { task, index, lr, step } of plan(stage)) {
      const batches = candidate.batches.get(task);
      if (!batches) throw new Error(`no data for the task ${task}`);
      const result = trainStep(candidate.trainer, task, [batches.batchAt(index)], lr);
      // A lost device fails all that is in flight: the first is reported, the others must not go unhandled.
      result.catch(() => undefined);
      pending.push({ task, result });
      steps[task] = (steps[task] ?? 0) + 1;
      await drain(IN_FLIGHT);
      if (!stage.measureAt.includes(step + 1)) continue;
      await drain(0);
      await watch.onMeasure({ ...steps });
    }
    await drain(0);
    if (alone && key !== null) memory.set(key, await stateOf(candidate, alone));
  }
}

/** The only task of a stage, if it shows no images. */
function textTaskOf({ model }: Candidate, { recipe }: Stage): Task | null {
  const [only, ...more] = recipe.mix.parts;
  const task = model.tasks.find(({ name }) => name === only?.task);
  return task && more.length === 0 && !showsImages(model, task.name) ? task : null;
}

async function stateOf({ session }: Candidate, { trains }: Task): Promise<ReadonlyMap<string, Float32Array>> {
  const state = new Map<string, Float32Array>();
  for (const name of trains) state.set(name, await readParameter(session, parameterNamed(session, name)));
  return state;
}

function recall({ session }: Candidate, state: ReadonlyMap<string, Float32Array>): void {
  for (const [name, values] of state) writeParameter(session, parameterNamed(session, name), values);
}

/** Task, batch and learning rate of each step of a stage, as `graft train` would take them. */
function* plan({ recipe, steps }: Stage) {
  // Warm-up and length are counted in steps here, so an epoch has no say.
  const horizon = horizonOf(recipe, 1);
  const turn = turns(recipe, steps, (step) => createRandom(recipe.seed, 'mix', step).uniform());
  for (let step = 0; step < steps; step++)
    yield { ...turn.next().value, step, lr: learningRate(recipe, horizon, step) };
}

/** A stage is a run of its own: its optimizer has seen nothing yet. */
function startAnew({ session, trainer }: Candidate): void {
  trainer.counts.fill(0);
  for (const parameter of session.manifest.parameters) {
    if (parameter.cell === null) continue;
    const zeros = new Float32Array(parameter.shape.reduce((a, b) => a * b, 1));
    for (const copy of ['first', 'second'] as const) writeParameter(session, parameter, zeros, copy);
  }
}
