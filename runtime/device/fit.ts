/** Whether a package fits on a device: asked before anything is read or allocated, answered with the figures. */
import type { Manifest } from '../../compiler/package/package.ts';
import { mib } from './buffers.ts';
import { DeviceError } from './device.ts';

/** What a device can hold; `memory` where it is known: a software device has the machine's. */
export interface Capacity {
  readonly limits: Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>;
  readonly memory?: number;
}

/** @throws DeviceError that names the buffers and the binding that are too large, and what everything takes together */
export function requireFit(
  { name, buffers, programs }: Pick<Manifest, 'name' | 'buffers' | 'programs'>,
  { limits, memory }: Capacity,
): void {
  const sizes = Object.entries(buffers);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  const bindings = programs.flatMap(({ dispatches }) =>
    dispatches.flatMap(({ label, bindings: slices }) =>
      slices.map((slice) => [`${label} (${slice.buffer})`, slice.size] as const),
    ),
  );
  const [binding, bound] = largestOf(bindings);
  const problems = [
    ...sizes.flatMap(([buffer, size]) =>
      tooLarge(`buffer \`${buffer}\` needs`, size, limits.maxBufferSize, 'this device allows', 'a buffer'),
    ),
    ...tooLarge(
      `${binding} needs`,
      bound,
      limits.maxStorageBufferBindingSize,
      'this device binds',
      'at once',
    ),
    ...tooLarge('all of it needs', total, memory ?? Infinity, 'this machine has', 'of memory'),
  ];
  if (problems.length === 0) return;
  throw new DeviceError(
    'out-of-memory',
    `\`${name}\` does not fit on this device: ${mib(total)} MiB in all.\n  ${problems.join('\n  ')}\n` +
      'take a smaller batch, shorter sequences or a smaller base; nothing was allocated',
  );
}

const largestOf = (sizes: readonly (readonly [string, number])[]): readonly [string, number] =>
  sizes.reduce((largest, next) => (next[1] > largest[1] ? next : largest), ['', 0]);

const tooLarge = (what: string, size: number, allowed: number, who: string, unit: string): string[] =>
  size > allowed ? [`${what} ${mib(size)} MiB; ${who} ${mib(allowed)} MiB ${unit}`] : [];
