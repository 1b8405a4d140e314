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
  let done = 0;
  for (const stage of stages) {
    forget(lab);
    const pending: { readonly task: string; readonly result: Promise<StepResult> }[] = [];
    const drain = async (left: number): Promise<void> => {
      while (pending.length > left) {
        const next = pending.shift();
        if (!next) return;
        const { loss, finite } = await next.result;
        if (!finite) throw new Error(`step ${done - pending.length}, ${next.task}: the loss is not finite`);
        watch.onStep?.(next.task, loss, done - pending.length, of);
      }
    };
    for (const { task, index, lr } of planOf(lab, stage)) {
      const batches = lab.batches.get(task);
      if (!batches) throw new Error(`no data for the task ${task}`);
      const result = trainStep(lab.trainer, task, [batches.batchAt(index)], lr);
      // A lost device fails all that is in flight: the first is reported, the others must not go unhandled.
      result.catch(() => undefined);
      pending.push({ task, result });
      done++;
      steps[task] = (steps[task] ?? 0) + 1;
      await drain(IN_FLIGHT);
      if (!stage.measureAt.includes(index + 1) && !stage.measureAt.includes(stageStep(steps, stage))) continue;
      await drain(0);
      if (stage.measureAt.includes(stageStep(steps, stage))) await watch.onMeasure({ ...steps });
    }
  }
}
