/** One line of progress: rewritten in place on a terminal, now and then elsewhere. */
import type { StepMetrics } from '../train/run-store.ts';
import type { Horizon } from '../train/learning-rate.ts';

export interface Progress {
  step(metrics: StepMetrics, horizon: Horizon): void;
  end(): void;
}

/** Seconds between lines where there is no terminal to rewrite. */
const QUIET = 5;

/** Loss, tokens a second and the time left; `first` is the step the run goes on from. */
export function makeProgress(stream: NodeJS.WriteStream, first: number): Progress {
  let shown = -Infinity;
  return {
    step(m, horizon) {
      const done = m.step + 1;
      const rate = m.seconds > 0 ? (done - first) / m.seconds : 0;
      const left = rate > 0 ? (horizon.total - done) / rate : 0;
      const width = String(horizon.total).length;
      const line = `step ${String(done).padStart(width)}/${horizon.total}  ${m.task}  loss ${m.loss.toFixed(3)}  lr ${m.lr.toExponential(1)}  ${Math.round(rate * m.tokens)} tokens/s  ${clock(left)} left`;
      if (stream.isTTY) stream.write(`\r\x1b[K${line}`);
      else if (m.seconds - shown >= QUIET || done === horizon.total) {
        stream.write(`${line}\n`);
        shown = m.seconds;
      }
    },
    end: () => void (stream.isTTY && stream.write('\n')),
  };
}

/** 75 -> 1:15 */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
