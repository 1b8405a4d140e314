/**
 * The only file that opens WebGPU: Dawn in Node, `navigator.gpu` in a browser.
 *
 * WebGPU reports most mistakes outside of the call that made them. Here nothing stays silent: an uncaptured error or a lost
 * device makes the next `assertHealthy`, `check` or `wait` fail, and the message names the work that was going on.
 */
import type { Profile } from '../../compiler/package/package.ts';
import { waitGently } from './poll.ts';

/** What went wrong with a device; `unavailable` = there was none to begin with. */
export type DeviceFault = 'unavailable' | 'validation' | 'out-of-memory' | 'internal' | 'lost';

/** An error of the device, with a message a user can act on. */
export class DeviceError extends Error {
  readonly fault: DeviceFault;
  constructor(fault: DeviceFault, message: string) {
    super(message);
    this.name = 'DeviceError';
    this.fault = fault;
  }
}

/** What the adapter says of itself. */
export interface AdapterSummary {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** True for a CPU that plays GPU: Mesa's lavapipe, SwiftShader, WARP. */
  readonly software: boolean;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
}

export interface DeviceOptions {
  readonly powerPreference?: GPUPowerPreference;
  /** Appears in the messages of the device. */
  readonly label?: string;
}

/** Features we use where the adapter has them. No kernel may need one without naming it in `KernelEntry.features`. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ['subgroups', 'shader-f16', 'timestamp-query'];

/** Limits asked for at the adapter's maximum; the others stay at WebGPU's defaults. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render|warp/i;

/** An open device. It may be lost at any time; `reopen` then gives a new one. */
export class Device {
  readonly device: GPUDevice;
  readonly adapter: AdapterSummary;
  readonly profile: Profile;
  readonly limits: GPUSupportedLimits;
  readonly features: ReadonlySet<string>;
  /** Resolves, and never rejects, once the device is gone. */
  readonly lost: Promise<DeviceError>;
  #work = 'opening the device';
  #failure: DeviceError | null = null;
  #isLost = false;

  constructor(device: GPUDevice, adapter: AdapterSummary) {
    this.device = device;
    this.adapter = adapter;
    this.limits = device.limits;
    this.features = device.features;
    this.profile = profileOf(adapter, this.features);
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      this.#fail(faultOf(event.error), event.error.message);
    });
    this.lost = device.lost.then((info) => {
      this.#isLost = true;
      const detail = info.message === '' ? '' : `: ${info.message}`;
      this.#failure = new DeviceError(
        'lost',
        `the device was lost (${info.reason}) during ${this.#work}${detail}`,
      );
      return this.#failure;
    });
  }

  /** True once the device is lost; nothing brings it back, open a new one. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Names the work that errors from now on are put down to. */
  begin(work: string): void {
    this.#work = work;
  }

  /** Throws what went wrong since the last call. A lost device throws every time. */
  assertHealthy(): void {
    const failure = this.#failure;
    if (!failure) return;
    if (!this.#isLost) this.#failure = null;
    throw failure;
  }

  /** Waits for all submitted work, then throws if any of it failed. */
  async check(): Promise<void> {
    this.assertHealthy();
    await this.wait(this.device.queue.onSubmittedWorkDone());
  }

  /** Awaits a promise of the device without burning a core, then throws if anything failed meanwhile. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    try {
      const value = await waitGently(promise);
      this.assertHealthy();
      return value;
    } catch (error) {
      // A promise cut short by a loss or a validation error rejects a moment before the cause is reported.
      if (!(error instanceof DeviceError)) await settle(this.lost);
      this.assertHealthy();
      throw error;
    }
  }

  /** Gives the device back. Losing it this way is no error. */
  close(): void {
    this.begin('use after close()');
    this.device.destroy();
  }

  #fail(fault: DeviceFault, message: string): void {
    // The first error is the cause, those after it are mostly its consequences.
    this.#failure ??= new DeviceError(
      fault,
      `${describeFault(fault)} during ${this.#work}: ${message.trim()}`,
    );
  }
}

function faultOf(error: GPUError): DeviceFault {
  if (error instanceof globalThis.GPUValidationError) return 'validation';
  return error instanceof globalThis.GPUOutOfMemoryError ? 'out-of-memory' : 'internal';
}

function describeFault(fault: DeviceFault): string {
  if (fault === 'out-of-memory') return 'the device ran out of memory';
  return fault === 'validation' ? 'WebGPU refused a call' : 'the driver failed';
}

function settle(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise, new Promise((done) => setTimeout(done, 50))]);
}

function profileOf(adapter: AdapterSummary, features: ReadonlySet<string>): Profile {
  const fixed = features.has('subgroups') && adapter.subgroupMinSize === adapter.subgroupMaxSize;
  if (!adapter.software) return { device: 'gpu', subgroup: null };
  return {
    device: 'software',
    subgroup: fixed && adapter.subgroupMinSize > 0 ? adapter.subgroupMinSize : null,
  };
}

function summarize(info: GPUAdapterInfo): AdapterSummary {
  const { vendor, architecture, device, description } = info;
  return {
    vendor,
    architecture,
    device,
    description,
    software: info.isFallbackAdapter || SOFTWARE.test(`${architecture} ${device} ${description}`),
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
  };
}

const inNode = typeof process === 'object' && typeof process.versions?.node === 'string';

/** Kept for the life of the process: Dawn crashes when its entry object is collected while a device lives. */
let entry: GPU | null = null;

async function findEntry(): Promise<GPU> {
  if (entry) return entry;
  if (inNode) {
    // Bundlers for browsers leave the driver out: `browser` in package.json says so.
    const driver = await import('./driver.ts');
    entry = await driver.loadDawn().catch((error: Error) => {
      throw new DeviceError('unavailable', error.message);
    });
  } else {
    if (!('gpu' in navigator) || !navigator.gpu) throw new DeviceError('unavailable', NO_BROWSER_GPU);
    entry = navigator.gpu;
  }
  return entry;
}

const NO_BROWSER_GPU =
  'this browser offers no WebGPU. It needs Chrome or Edge 121, Firefox 141, Safari 26 or newer, and a page ' +
  'from https:// or localhost; on Linux Chrome may need --enable-unsafe-webgpu.';

async function explainNoAdapter(): Promise<string> {
  if (!inNode) return `${NO_BROWSER_GPU} navigator.gpu is there, but it found no adapter.`;
  const driver = await import('./driver.ts');
  return driver.explainNoDevice();
}

/** Opens a new device with everything its adapter can give; rejects with a `DeviceError` that says what to do. */
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  const gpu = await findEntry();
  const adapter = await gpu.requestAdapter({
    powerPreference: options.powerPreference ?? 'high-performance',
  });
  if (!adapter) throw new DeviceError('unavailable', await explainNoAdapter());
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name];
  const requiredFeatures = WANTED_FEATURES.filter((name) => adapter.features.has(name));
  const info = summarize(adapter.info);
  const device = await adapter.requestDevice({
    label: options.label ?? 'graft',
    requiredFeatures,
    requiredLimits,
  });
  return new Device(device, info);
}

let shared: Promise<Device> | null = null;

/** The process's own device, opened on first use and opened anew after a loss. */
export async function sharedDevice(): Promise<Device> {
  if (shared) {
    const device = await shared.catch(() => null);
    if (device && !device.isLost) return device;
  }
  shared = openDevice();
  return shared;
}
