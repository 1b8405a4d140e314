/** The buffers of a package: each allocated once, checked against the device before any is. */
import type { BufferName, Slice } from '../../compiler/package/package.ts';
import { DeviceError, type Device } from './device.ts';

/** Transfers are cut into pieces of this size: one mapped copy of gigabytes would double the memory in use. */
const CHUNK = 64 * 1024 * 1024;
const SMALLEST_STAGING = 4096;
const MIB = 1024 * 1024;

/** Numbers a host writes into a buffer. */
export type HostArray = Float32Array | Uint32Array | Int32Array | Uint16Array | Uint8Array;

/** Counts of what a steady state must not do. */
export interface BufferCounters {
  buffers: number;
  staging: number;
}

/** Where a read's bytes arrive: staging memory that goes back to the pool once it was copied out. */
interface Staging {
  readonly buffer: GPUBuffer;
  readonly size: number;
  busy: boolean;
}

/** Throws, with the figures, when a buffer is larger than the device allows. */
function checkBufferSizes(device: Device, sizes: Readonly<Partial<Record<string, number>>>): void {
  const allowed = device.limits.maxBufferSize;
  const total = Object.values(sizes).reduce<number>((sum, size) => sum + (size ?? 0), 0);
  for (const [name, size] of Object.entries(sizes))
    if (size !== undefined && size > allowed)
      throw new DeviceError(
        'out-of-memory',
        `does not fit: buffer '${name}' needs ${mib(size)} MiB, and this device allows ${mib(allowed)} MiB a buffer ` +
          `(all buffers together: ${mib(total)} MiB)`,
      );
}

/** Megabytes for messages. */
export function mib(bytes: number): string {
  return (bytes / MIB).toFixed(bytes < MIB ? 3 : 1);
}

/** The named buffers of a package on one device, with reads and writes by slice. */
export class Buffers {
  readonly counters: BufferCounters = { buffers: 0, staging: 0 };
  readonly #device: Device;
  readonly #buffers: Map<string, GPUBuffer>;
  readonly #borrowed: ReadonlySet<string>;
  readonly #pool: Staging[] = [];

  constructor(device: Device, buffers: Map<string, GPUBuffer>, borrowed: ReadonlySet<string>) {
    this.#device = device;
    this.#buffers = buffers;
    this.#borrowed = borrowed;
    this.counters.buffers = buffers.size - borrowed.size;
  }

  /** The buffer of a name, to share it with another package or to bind it by hand. */
  get(name: BufferName): GPUBuffer {
    const buffer = this.#buffers.get(name);
    if (!buffer)
      throw new Error(`this package has no buffer '${name}'; it has ${[...this.#buffers.keys()].join(', ')}`);
    return buffer;
  }

  /** Throws when a slice is not inside its buffer or not on whole words. */
  checkSlice(slice: Slice, what: string): void {
    const { buffer, offset, size } = slice;
    const available = this.get(buffer).size;
    if (offset % 4 !== 0 || size % 4 !== 0 || size <= 0)
      throw new Error(`${what}: bytes ${offset}..${offset + size} of '${buffer}' are not whole 32-bit words`);
    if (offset < 0 || offset + size > available)
      throw new Error(
        `${what}: bytes ${offset}..${offset + size} are outside of '${buffer}' (${available} bytes)`,
      );
  }

  /** Writes numbers to the start of a slice; they may be fewer than it holds. */
  write(slice: Slice, data: HostArray): void {
    this.checkSlice(slice, 'write');
    if (data.byteLength > slice.size)
      throw new Error(
        `write: ${data.byteLength} bytes do not fit into ${slice.size} bytes of '${slice.buffer}'`,
      );
    const { queue } = this.#device.device;
    const buffer = this.get(slice.buffer);
    const source = data.buffer as ArrayBuffer;
    for (let done = 0; done < data.byteLength; done += CHUNK) {
      const size = Math.min(CHUNK, data.byteLength - done);
      queue.writeBuffer(buffer, slice.offset + done, source, data.byteOffset + done, size);
    }
  }

  /** Adds copies of slices to an encoder; call `collect` on the result once the work is submitted. */
  stage(encoder: GPUCommandEncoder, slices: readonly Slice[]): PendingRead {
    const total = slices.reduce((sum, slice) => sum + slice.size, 0);
    const staging = this.#takeStaging(total);
    let at = 0;
    for (const slice of slices) {
      this.checkSlice(slice, 'read');
      encoder.copyBufferToBuffer(this.get(slice.buffer), slice.offset, staging.buffer, at, slice.size);
      at += slice.size;
    }
    return { collect: () => this.#collect(staging, slices, total) };
  }

  /** The bytes of a slice, in pieces when it is large. */
  async readBytes(slice: Slice): Promise<ArrayBuffer> {
    if (slice.size <= CHUNK) return (await this.#readPieces([slice]))[0] as ArrayBuffer;
    const all = new Uint8Array(slice.size);
    for (let done = 0; done < slice.size; done += CHUNK) {
      const size = Math.min(CHUNK, slice.size - done);
      const [piece] = await this.#readPieces([{ buffer: slice.buffer, offset: slice.offset + done, size }]);
      all.set(new Uint8Array(piece as ArrayBuffer), done);
    }
    return all.buffer;
  }

  /** Frees every buffer that is not borrowed from another package. */
  destroy(): void {
    for (const [name, buffer] of this.#buffers) if (!this.#borrowed.has(name)) buffer.destroy();
    for (const staging of this.#pool) staging.buffer.destroy();
    this.#buffers.clear();
    this.#pool.length = 0;
  }

  #readPieces(slices: readonly Slice[]): Promise<ArrayBuffer[]> {
    this.#device.assertHealthy();
    const encoder = this.#device.device.createCommandEncoder({ label: 'read' });
    const pending = this.stage(encoder, slices);
    this.#device.device.queue.submit([encoder.finish()]);
    return pending.collect();
  }

  #takeStaging(size: number): Staging {
    const free = this.#pool.filter((staging) => !staging.busy && staging.size >= size);
    const best = free.sort((a, b) => a.size - b.size)[0];
    if (best) {
      best.busy = true;
      return best;
    }
    const rounded = Math.max(SMALLEST_STAGING, 2 ** Math.ceil(Math.log2(size)));
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const buffer = this.#device.device.createBuffer({ label: 'staging', size: rounded, usage });
    const staging = { buffer, size: rounded, busy: true };
    this.counters.staging += 1;
    this.#pool.push(staging);
    return staging;
  }

  async #collect(staging: Staging, slices: readonly Slice[], total: number): Promise<ArrayBuffer[]> {
    try {
      await this.#device.wait(staging.buffer.mapAsync(GPUMapMode.READ, 0, total));
      // Mapped memory is detached at unmap, so it is copied out.
      const mapped = staging.buffer.getMappedRange(0, total);
      let at = 0;
      const copies = slices.map(({ size }) => mapped.slice(at, (at += size)));
      staging.buffer.unmap();
      return copies;
    } finally {
      staging.busy = false;
    }
  }
}

/** Copies that were encoded and not yet collected. */
export interface PendingRead {
  collect(): Promise<ArrayBuffer[]>;
}

/**
 * Allocates the buffers of a package. `shared` are buffers of another package on the same device, used instead of new ones.
 * Nothing is allocated when one of them is too large.
 */
export async function allocateBuffers(
  device: Device,
  sizes: Readonly<Partial<Record<BufferName, number>>>,
  shared: Readonly<Partial<Record<BufferName, GPUBuffer>>> = {},
): Promise<Buffers> {
  checkBufferSizes(device, sizes);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffers = new Map<string, GPUBuffer>(Object.entries(shared));
  device.begin('allocating buffers');
  device.device.pushErrorScope('out-of-memory');
  for (const [name, size] of Object.entries(sizes)) {
    if (size === undefined || size === 0 || buffers.has(name)) continue;
    buffers.set(name, device.device.createBuffer({ label: name, size: Math.ceil(size / 16) * 16, usage }));
  }
  const error = await device.wait(device.device.popErrorScope());
  if (error) {
    const list = Object.entries(sizes).map(([name, size]) => `${name} ${mib(size ?? 0)} MiB`);
    for (const [name, buffer] of buffers) if (!(name in shared)) buffer.destroy();
    throw new DeviceError('out-of-memory', `the device has no memory for these buffers: ${list.join(', ')}`);
  }
  return new Buffers(device, buffers, new Set(Object.keys(shared)));
}
