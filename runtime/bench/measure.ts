/** Interleaved timing: every sample of one side is followed by one of each other side, so that noise falls on all alike. */
import type { Operation } from './ops.ts';
import type { Contestant } from './process.ts';
import type { SideName } from './side.ts';

/** What was measured of one operation on one side. */
export interface Timing {
  readonly side: SideName;
  readonly op: Operation;
  /** Median over the rounds, in milliseconds a run. */
  readonly ms: number;
  /** From nothing to the first result: compiling, uploading and one run. */
  readonly firstMs: number;
  readonly values: Float32Array;
}

export interface Measured {
  readonly timings: readonly Timing[];
  /** Sides that could not run an operation, with what they said. */
  readonly failures: readonly { readonly side: SideName; readonly op: Operation; readonly error: string }[];
}

/** A sample takes about this long; a longer run is sampled alone. */
const SAMPLE_MS = 80;
const MOST_RUNS = 200;

interface Lane {
  readonly contestant: Contestant;
  readonly op: Operation;
  readonly firstMs: number;
  readonly values: Float32Array;
  /** Runs in one sample. */
  readonly runs: number;
  readonly samples: number[];
}

/** Measures operations on all sides in turns. Operations that are to be compared with each other belong in one call. */
export async function measure(
  operations: readonly Operation[],
  contestants: readonly Contestant[],
  rounds: number,
  log: (text: string) => void,
): Promise<Measured> {
  const lanes: Lane[] = [];
  const failures: Measured['failures'][number][] = [];
  for (const op of operations)
    for (const contestant of contestants)
      try {
        const lane = await openLane(contestant, op);
        log(`${op.name}: first run on ${contestant.name} after ${(lane.firstMs / 1000).toFixed(2)} s`);
        lanes.push(lane);
      } catch (error) {
        failures.push({ side: contestant.name, op, error: (error as Error).message });
      }
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < lanes.length; i++) {
      // Another one begins each round, so none is always the one after the slowest.
      const lane = lanes[(i + round) % lanes.length] as Lane;
      const { ms } = await lane.contestant.ask({ ask: 'run', lane: lane.op.name, n: lane.runs });
      lane.samples.push(ms / lane.runs);
    }
  for (const lane of lanes) await lane.contestant.ask({ ask: 'close', lane: lane.op.name });
  const timings = lanes.map(({ contestant, op, firstMs, values, samples }) => ({
    side: contestant.name,
    op,
    firstMs,
    values,
    ms: median(samples),
  }));
  return { timings, failures };
}

async function openLane(contestant: Contestant, op: Operation): Promise<Lane> {
  const lane = op.name;
  const { ms: firstMs } = await contestant.ask({ ask: 'prepare', lane, op });
  const { values } = await contestant.ask({ ask: 'result', lane });
  // One to warm up, one to see how many runs make a sample.
  await contestant.ask({ ask: 'run', lane, n: 2 });
  const { ms } = await contestant.ask({ ask: 'run', lane, n: 2 });
  const runs = Math.max(1, Math.min(MOST_RUNS, Math.round((2 * SAMPLE_MS) / ms)));
  return { contestant, op, firstMs, values: values ?? new Float32Array(0), runs, samples: [] };
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[(sorted.length - 1) >> 1] ?? NaN, sorted[middle] ?? NaN];
  return (low + high) / 2;
}
