/** Training a lab by the stages of its recipe, with a stop wherever it is to be measured. */
import { createRandom } from '../../runtime/random.ts';
import { writeParameter } from '../../runtime/session.ts';
import { turns } from '../../runtime/train/mix.ts';
import { horizonOf, learningRate } from '../../runtime/train/schedule.ts';
import { type StepResult, trainStep } from '../../runtime/train/trainer.ts';
import type { Stage } from './designs.ts';
import type { Lab } from './lab.ts';

/** Steps whose results are not yet read, so that the device is never idle for a read. */
const IN_FLIGHT = 3;

/** What to do on the way; `steps` are those taken so far, by task. */
export interface Watch {
  /** Called where a stage is to be measured. */
  readonly onMeasure: (steps: Readonly<Record<string, number>>) => Promise<void>;
  readonly onStep?: (task: string, loss: number, done: number, of: number) => void;
}

/** Trains all stages. @throws Error when a loss or a gradient is not finite */
export async function trainStages(lab: Lab, stages: readonly Stage[], watch: Watch): Promise<void> {
  const steps: Record<string, number> = {};
  const of = stages.reduce((sum, stage) => sum + stage.steps, 0);
  let read = 0;
  for (const stage of stages) {
    startAnew(lab);
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
      const batches = lab.batches.get(task);
      if (!batches) throw new Error(`no data for the task ${task}`);
      const result = trainStep(lab.trainer, task, [batches.batchAt(index)], lr);
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
  }
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
function startAnew({ session, trainer }: Lab): void {
  trainer.counts.fill(0);
  for (const parameter of session.manifest.parameters) {
    if (parameter.cell === null) continue;
    const zeros = new Float32Array(parameter.shape.reduce((a, b) => a * b, 1));
    for (const copy of ['first', 'second'] as const) writeParameter(session, parameter, zeros, copy);
  }
}
