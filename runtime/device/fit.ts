/** Whether a package fits on a device: asked before anything is read or allocated, answered with figures and remedies. */
import type { Base } from '../../compiler/model/model.ts';
import type { BufferName, Manifest, Program } from '../../compiler/package/package.ts';
import { mib } from './buffers.ts';
import { DeviceError } from './device.ts';

/** What a device can hold; `memory` where it is known: a software device has the machine's. */
export interface Capacity {
  readonly limits: Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>;
  readonly memory?: number;
}

type Sized = Pick<Manifest, 'name' | 'base' | 'buffers' | 'parameters' | 'programs'>;

/** One thing that is too large, and the buffers that would have to shrink. */
interface Problem {
  readonly said: string;
  readonly buffers: readonly BufferName[];
}

/** @throws DeviceError that names what is too large, the largest tensor in it, the device's limit, and what would help */
export function requireFit(manifest: Sized, { limits, memory }: Capacity): void {
  const sizes = Object.entries(manifest.buffers) as [BufferName, number][];
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  const problems: Problem[] = sizes
    .filter(([, size]) => size > limits.maxBufferSize)
    .map(([buffer, size]) => ({
      said: `buffer \`${buffer}\` needs ${mib(size)} MiB; this device allows ${mib(limits.maxBufferSize)} MiB a buffer${largestIn(manifest, buffer)}`,
      buffers: [buffer],
    }));
  for (const [buffer, bound] of largestBindings(manifest))
    if (bound.size > limits.maxStorageBufferBindingSize)
      problems.push({
        said:
          `${bound.what} (${buffer}) needs ${mib(bound.size)} MiB; ` +
          `this device binds ${mib(limits.maxStorageBufferBindingSize)} MiB at once`,
        buffers: [buffer],
      });
  if (total > (memory ?? Infinity))
    problems.push({
      said: `all of it needs ${mib(total)} MiB; this machine has ${mib(memory ?? 0)} MiB of memory: ${shares(sizes)}`,
      buffers: weighty(sizes, total),
    });
  if (problems.length === 0) return;
  const large = new Set(problems.flatMap(({ buffers }) => buffers));
  const remedies = new Set([...large].map((buffer) => remedyFor(buffer, manifest)));
  throw new DeviceError(
    'out-of-memory',
    `\`${manifest.name}\` does not fit on this device: ${mib(total)} MiB in all.\n` +
      [
        ...problems.map(({ said }) => `  ${said}`),
        ...[...remedies].map((remedy) => `  help: ${remedy}`),
        'nothing was allocated',
      ].join('\n'),
  );
}

/** The two largest buffers are named: what is small beside them helps nobody. */
const shares = (sizes: readonly (readonly [BufferName, number])[]): string =>
  [...sizes]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 2)
    .map(([buffer, size]) => `\`${buffer}\` ${mib(size)} MiB`)
    .join(', ');

/** Buffers with at least a quarter of everything: making a smaller one smaller would not help. */
const weighty = (sizes: readonly (readonly [BufferName, number])[], total: number): BufferName[] =>
  sizes.filter(([, size]) => size >= total / 4).map(([buffer]) => buffer);

/** The part of a message that names the largest tensor of a buffer; empty where the manifest does not say. */
function largestIn({ parameters, programs }: Sized, buffer: BufferName): string {
  const home = COPIES.has(buffer) ? 'parameters' : buffer;
  const tensors = [
    ...parameters
      .filter(({ slice }) => slice.buffer === home)
      .map(({ name, shape, slice }) => ({ what: `\`${name}\` [${shape.join(', ')}]`, size: slice.size })),
    ...(buffer === 'weights' || home === 'parameters' ? [] : bindingsIn(programs, buffer)),
  ];
  const largest = tensors.reduce<{ what: string; size: number } | null>(
    (most, next) => (most && most.size >= next.size ? most : next),
    null,
  );
  return largest ? `; the largest tensor in it: ${largest.what}, ${mib(largest.size)} MiB` : '';
}

function bindingsIn(programs: readonly Program[], buffer: BufferName) {
  return programs.flatMap(({ name, dispatches }) =>
    dispatches.flatMap(({ label, bindings }) =>
      bindings
        .filter((slice) => slice.buffer === buffer)
        .map(({ size }) => ({ what: `that of \`${label}\` in program \`${name}\``, size })),
    ),
  );
}

/** The largest binding of each buffer, and the dispatch that wants it. */
function largestBindings({ programs }: Sized): Map<BufferName, { what: string; size: number }> {
  const largest = new Map<BufferName, { what: string; size: number }>();
  for (const { dispatches } of programs)
    for (const { label, bindings } of dispatches)
      for (const { buffer, size } of bindings)
        if (size > (largest.get(buffer)?.size ?? 0)) largest.set(buffer, { what: label, size });
  return largest;
}

/** What is as large as the trained parameters. */
const COPIES: ReadonlySet<BufferName> = new Set([
  'parameters',
  'gradients',
  'accumulated',
  'first',
  'second',
]);

/** What makes a buffer smaller: one sentence that names the attributes to change. */
function remedyFor(buffer: BufferName, { base, buffers, programs }: Sized): string {
  if (buffer === 'weights')
    return (
      `the weights of the base \`${base.name}\` and of frozen networks are what is large, whatever \`batch\` and ` +
      `\`max_tokens\` are: take a smaller base, ${fewerBits(base)}or a device that allows more (\`graft doctor\` shows what it allows)`
    );
  if (COPIES.has(buffer)) {
    const copies = [...COPIES].filter((name) => buffers[name] !== undefined).length;
    return (
      `what is trained is held ${copies === 1 ? 'once' : `${copies} times, with its gradients and moments`}: ` +
      'train fewer parameters (fewer parts or layers in the groups that tasks train, a lower rank, no `unfreeze` of linears)'
    );
  }
  const batch = Math.max(1, ...programs.map((program) => program.batch));
  const smaller = batch > 1 ? `a smaller \`batch\` (it is ${batch})` : null;
  if (buffer === 'state')
    return `the cache of keys and values is what is large: take ${either(smaller, `a smaller \`context\` (it is ${base.context})`)}`;
  if (buffer === 'constants') return `take a smaller \`context\` (it is ${base.context})`;
  const tokens = Math.max(1, ...programs.map((program) => program.tokens));
  const shorter = `shorter sequences: fewer \`max_tokens\` in the tasks (the longest have ${tokens})`;
  const more = smaller ? ', with `accumulate` as much larger' : '';
  return `what is computed on the way is what is large: take ${either(smaller && smaller + more, shorter)}`;
}

/** What storing the base in fewer bits would bring; nothing where it is stored in few already. */
const fewerBits = ({ store = 'f32' }: Base): string =>
  store === 'q4'
    ? ''
    : store === 'q8'
      ? 'write `store = q4` in the base, '
      : 'write `store = q8` or `store = q4` in the base, ';

const either = (first: string | null, second: string): string =>
  first === null ? second : `${first}, or ${second}`;
