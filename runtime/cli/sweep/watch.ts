/** What a sweep says while it runs, on standard error. */
import { clock, makeProgress, type Progress } from '../progress.ts';
import type { Watch } from '../../sweep/run.ts';
import type { TrialLine } from '../../sweep/results.ts';

/**
 * One line when a trial begins, its steps, and one line when it ends. The time left is reckoned from the trials that have
 * ended since this process began, in whichever process.
 */
export function makeWatch(stream: NodeJS.WriteStream, total: number): Watch {
  const began = performance.now();
  let first: number | null = null;
  let progress: Progress | null = null;
  const left = (done: number): string => {
    if (first === null || done <= first) return '';
    const each = (performance.now() - began) / 1000 / (done - first);
    return `, ${clock(each * (total - done))} left`;
  };
  return {
    onTrial(trial, done) {
      first ??= done;
      stream.write(`trial ${done + 1} of ${total}${left(done)}: ${trial.key}\n`);
      progress = makeProgress(stream, 0);
    },
    onStep: (metrics, horizon) => progress?.step(metrics, horizon),
    onEnd(line) {
      progress?.end();
      stream.write(`  ${outcome(line)}\n`);
    },
    onWait: (holder) => void stream.write(`waiting for ${holder}, which runs the rest\n`),
  };
}

function outcome({ figures, failed, seconds }: TrialLine): string {
  if (!figures) return `failed: ${failed ?? ''}`;
  const { loss, lossOf, accuracy } = figures;
  const right = accuracy === null ? '' : `, accuracy ${accuracy.toFixed(3)}`;
  return `${lossOf === 'test' ? 'loss' : 'training loss'} ${loss.toFixed(3)}${right}, ${seconds} s`;
}
