/** Checks a kernel and its dispatches against the device before anything is built; each message carries the figures. */
import type { Dispatch, KernelEntry, Slice } from '../../compiler/package/package.ts';
import { mib, type Buffers } from './buffers.ts';
import { DeviceError, type Device } from './device.ts';

const MOST_UNIFORM_WORDS = 64;

/** WGSL's `enable` names, where they are not the names of the WebGPU features. */
const ENABLE_TO_FEATURE: Readonly<Record<string, string>> = { f16: 'shader-f16' };

function refuse(message: string): never {
  throw new DeviceError('validation', message);
}

/** The numbers of `@workgroup_size`, when they are literals. */
function workgroupSize(code: string): readonly [number, number, number] | null {
  const found = /@workgroup_size\(\s*(\d+)u?\s*(?:,\s*(\d+)u?\s*)?(?:,\s*(\d+)u?\s*)?,?\s*\)/.exec(code);
  return found ? [Number(found[1]), Number(found[2] ?? 1), Number(found[3] ?? 1)] : null;
}

/** Throws when the device cannot run a kernel at all. */
export function checkKernel(device: Device, kernel: KernelEntry, code: string): void {
  const { limits, features } = device;
  const missing = kernel.features.filter((name) => !features.has(ENABLE_TO_FEATURE[name] ?? name));
  if (missing.length > 0)
    refuse(`kernel ${kernel.name} needs ${missing.join(', ')}, which this device does not have`);
  const size = workgroupSize(code);
  if (!size) return;
  const count = size[0] * size[1] * size[2];
  const most = limits.maxComputeInvocationsPerWorkgroup;
  if (count > most)
    refuse(`kernel ${kernel.name} has workgroups of ${count} invocations; this device allows ${most}`);
}

/** Throws when a dispatch breaks a rule of WebGPU or a limit of the device. */
export function checkDispatch(
  device: Device,
  buffers: Buffers,
  kernel: KernelEntry,
  dispatch: Dispatch,
): void {
  const { limits } = device;
  const what = `${dispatch.label} (kernel ${kernel.name})`;
  const { bindings, uniforms, grid } = dispatch;
  if (bindings.length !== kernel.bindings)
    refuse(`${what}: ${bindings.length} buffers are bound, the kernel has ${kernel.bindings}`);
  if (bindings.length > limits.maxStorageBuffersPerShaderStage)
    refuse(
      `${what}: ${bindings.length} storage buffers; this device allows ${limits.maxStorageBuffersPerShaderStage}`,
    );
  if (uniforms.length > MOST_UNIFORM_WORDS)
    refuse(`${what}: ${uniforms.length} uniform words, at most ${MOST_UNIFORM_WORDS} fit`);
  const widest = limits.maxComputeWorkgroupsPerDimension;
  if (grid.some((extent) => !Number.isInteger(extent) || extent < 1 || extent > widest))
    refuse(
      `${what}: a grid of ${grid.join(' x ')} workgroups; this device allows 1 to ${widest} in each dimension`,
    );
  bindings.forEach((slice, index) => checkBinding(device, buffers, slice, `${what}: binding ${index + 1}`));
  checkOverlap(bindings, what);
}

function checkBinding(device: Device, buffers: Buffers, slice: Slice, what: string): void {
  const { maxStorageBufferBindingSize: largest, minStorageBufferOffsetAlignment: alignment } = device.limits;
  buffers.checkSlice(slice, what);
  if (slice.offset % alignment !== 0)
    refuse(`${what}: offset ${slice.offset} of '${slice.buffer}' is not a multiple of ${alignment}`);
  if (slice.size > largest)
    refuse(
      `${what}: ${mib(slice.size)} MiB of '${slice.buffer}'; this device binds at most ${mib(largest)} MiB`,
    );
}

/** All bindings are writable, and WebGPU forbids two writable ranges of one buffer to meet within a dispatch. */
function checkOverlap(bindings: readonly Slice[], what: string): void {
  bindings.forEach((a, i) => {
    const j = bindings.findIndex(
      (b, at) =>
        at > i && a.buffer === b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size,
    );
    const b = bindings[j];
    if (b)
      refuse(
        `${what}: bindings ${i + 1} and ${j + 1} overlap in '${a.buffer}': ` +
          `bytes ${a.offset}..${a.offset + a.size} and ${b.offset}..${b.offset + b.size}`,
      );
  });
}
