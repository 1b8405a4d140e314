/** Times a program dispatch by dispatch. Slower than a plain run: each dispatch gets a pass of its own. */
import type { Program } from '../../compiler/package/package.ts';
import type { Device } from './device.ts';
import type { Executor } from './execute.ts';

export interface ProfileRow {
  /** The label of the dispatches; layers are added up as `layers.*` unless `byLayer` is on. */
  readonly label: string;
  readonly kernel: string;
  readonly count: number;
  readonly ms: number;
}

export interface ProfileOptions {
  /** Runs to average over, after one that warms up. */
  readonly repeats?: number;
  /** Keeps `layers.0` and `layers.1` apart. */
  readonly byLayer?: boolean;
}

/** WebGPU's largest query set is 4096 timestamps, two for each pass. */
const PASSES_AT_ONCE = 2048;

/** Milliseconds of each kind of dispatch, the dearest first. It runs the program, so it changes what a run changes. */
export async function profileProgram(
  executor: Executor,
  program: string | Program,
  options: ProfileOptions = {},
): Promise<ProfileRow[]> {
  const { repeats = 3, byLayer = false } = options;
  const steps = executor.steps(program);
  const times = executor.device.features.has('timestamp-query') ? timeByQueries : timeByWaiting;
  executor.run(program);
  await executor.device.check();
  const totals = new Float64Array(steps.length);
  for (let repeat = 0; repeat < repeats; repeat += 1)
    (await times(executor, program, steps.length)).forEach(
      (ms, index) => (totals[index] = (totals[index] ?? 0) + ms),
    );
  const rows = new Map<string, { label: string; kernel: string; count: number; ms: number }>();
  for (const [index, { dispatch }] of steps.entries()) {
    const label = byLayer ? dispatch.label : dispatch.label.replace(/\.\d+(?=\.|$)/g, '.*');
    const kernel = executor.manifest.kernels[dispatch.kernel]?.name ?? '?';
    const key = `${label} ${kernel}`;
    const row = rows.get(key) ?? { label, kernel, count: 0, ms: 0 };
    row.ms += (totals[index] ?? 0) / repeats;
    row.count += 1;
    rows.set(key, row);
  }
  return [...rows.values()].sort((a, b) => b.ms - a.ms);
}

/** Two timestamps around each dispatch. */
async function timeByQueries(
  executor: Executor,
  program: string | Program,
  count: number,
): Promise<number[]> {
  const times: number[] = [];
  for (let from = 0; from < count; from += PASSES_AT_ONCE) {
    const steps = executor.steps(program).slice(from, from + PASSES_AT_ONCE);
    const stamps = await collectTimestamps(executor.device, steps.length, (encoder, querySet) => {
      for (const [index, { pipeline, bindGroup, dispatch }] of steps.entries()) {
        const timestampWrites = {
          querySet,
          beginningOfPassWriteIndex: 2 * index,
          endOfPassWriteIndex: 2 * index + 1,
        };
        const pass = encoder.beginComputePass({ label: dispatch.label, timestampWrites });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...dispatch.grid);
        pass.end();
      }
    });
    for (let index = 0; index < steps.length; index += 1)
      times.push(Number((stamps[2 * index + 1] ?? 0n) - (stamps[2 * index] ?? 0n)) / 1e6);
  }
  return times;
}

async function collectTimestamps(
  opened: Device,
  passes: number,
  encode: (encoder: GPUCommandEncoder, querySet: GPUQuerySet) => void,
): Promise<BigUint64Array> {
  const { device } = opened;
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * passes });
  const size = 16 * passes;
  const resolved = device.createBuffer({
    size,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder({ label: 'profile' });
  encode(encoder, querySet);
  encoder.resolveQuerySet(querySet, 0, 2 * passes, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await opened.wait(staging.mapAsync(GPUMapMode.READ));
  const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
  for (const resource of [querySet, resolved, staging]) resource.destroy();
  return stamps;
}

/** Without timestamps: one submit and one wait for each dispatch, whose latency is then counted too. */
async function timeByWaiting(
  executor: Executor,
  program: string | Program,
  count: number,
): Promise<number[]> {
  const times: number[] = [];
  for (let from = 0; from < count; from += 1) {
    const start = performance.now();
    executor.run({ program, from, to: from + 1 });
    await executor.device.check();
    times.push(performance.now() - start);
  }
  return times;
}

/** The rows as a table for a terminal. */
export function formatProfile(rows: readonly ProfileRow[]): string {
  const total = rows.reduce((sum, row) => sum + row.ms, 0);
  const lines = rows.map(({ ms, count, kernel, label }) => {
    const share = `${((100 * ms) / Math.max(total, 1e-9)).toFixed(1).padStart(5)}%`;
    return `${ms.toFixed(3).padStart(9)} ${share} ${String(count).padStart(5)}  ${kernel.padEnd(28)} ${label}`;
  });
  const head = '       ms      % count  kernel                       label';
  return [head, ...lines, `${total.toFixed(3).padStart(9)} in all`].join('\n');
}
