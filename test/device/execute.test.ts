import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Dispatch, Program, Slice } from '../../compiler/package/package.ts';
import { allocateBuffers } from '../../runtime/device/buffers.ts';
import { sharedDevice, type Device } from '../../runtime/device/device.ts';
import { createExecutor, type Executor, type Runnable } from '../../runtime/device/execute.ts';
import { formatProfile, profileProgram } from '../../runtime/device/profile.ts';

const t = suite('execute');

/** `to[i] = from[i] * factor + constant[0]`, over `count` numbers. */
const AFFINE = `
struct Uniforms { count: u32, factor: f32 }
@group(0) @binding(0) var<uniform> u: Uniforms;
@group(0) @binding(1) var<storage, read_write> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> target_: array<f32>;
@group(0) @binding(3) var<storage, read_write> constant: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < u.count) { target_[id.x] = source[id.x] * u.factor + constant[0]; }
}`;

const COUNT = 100;
const inputs: Slice = { buffer: 'inputs', offset: 0, size: 4 * COUNT };
const low: Slice = { buffer: 'activations', offset: 0, size: 4 * COUNT };
const high: Slice = { buffer: 'activations', offset: 1024, size: 4 * COUNT };
const one: Slice = { buffer: 'constants', offset: 256, size: 4 };

function floatBits(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0] as number;
}

function affine(from: Slice, to: Slice, factor: number, changes: Partial<Dispatch> = {}): Dispatch {
  const bindings = [from, to, one];
  const uniforms = [COUNT, floatBits(factor)];
  return { kernel: 0, bindings, uniforms, grid: [2, 1, 1], label: `affine.${factor}`, ...changes };
}

function program(name: string, dispatches: readonly Dispatch[]): Program {
  const shape = {
    kind: 'forward',
    image: false,
    batch: 1,
    tokens: COUNT,
    prepended: 0,
    inputs: [],
    outputs: [],
  } as const;
  return { name, ...shape, dispatches, optimizerFrom: dispatches.length };
}

function manifest(programs: readonly Program[], activations = 4096): Runnable {
  return {
    kernels: [{ name: 'affine', bindings: 3, features: [] }],
    programs,
    buffers: { inputs: 4 * COUNT, activations, constants: 260 },
  };
}

const twoSteps = program('two', [affine(inputs, low, 2), affine(low, high, 3)]);
const shaders = { affine: AFFINE };
const numbers = Float32Array.from({ length: COUNT }, (_, i) => i);

async function makeTwo(): Promise<Executor> {
  const executor = await createExecutor(await sharedDevice(), manifest([twoSteps]), shaders);
  executor.write(inputs, numbers);
  executor.write(one, new Float32Array([1]));
  return executor;
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => assert.unreachable('it did not fail') as never,
    (error: Error) => error.message,
  );
}

async function refusal(dispatch: Dispatch, activations?: number): Promise<string> {
  return messageOf(
    createExecutor(await sharedDevice(), manifest([program('bad', [dispatch])], activations), shaders),
  );
}

t('runs dispatches in order and reads the result', async () => {
  const executor = await makeTwo();
  executor.run('two');
  assert.equal(
    [...(await executor.read(high))],
    [...numbers].map((x) => (2 * x + 1) * 3 + 1),
  );
  assert.equal([...(await executor.readWords({ ...low, size: 8 }))], [floatBits(1), floatBits(3)]);
  executor.destroy();
});

t('runs a part of a program, several at once, and reads in the same submit', async () => {
  const executor = await makeTwo();
  const before = executor.counters.submits;
  const [first, second] = await executor.runAndRead(
    [
      { program: 'two', to: 1 },
      { program: twoSteps, from: 1 },
    ],
    [low, high],
  );
  assert.is(executor.counters.submits - before, 1);
  assert.is(first?.[5], 11);
  assert.is(second?.[5], 34);
  executor.destroy();
});

t('creates nothing in steady state', async () => {
  const executor = await makeTwo();
  await executor.runAndRead(['two'], [high]);
  const gpu = executor.device.device;
  const calls: string[] = [];
  const creators = [
    'createBuffer',
    'createBindGroup',
    'createComputePipelineAsync',
    'createShaderModule',
  ] as const;
  for (const name of creators) {
    const real = gpu[name].bind(gpu) as (...args: unknown[]) => unknown;
    Object.defineProperty(gpu, name, {
      configurable: true,
      value: (...args: unknown[]) => (calls.push(name), real(...args)),
    });
  }
  const before = executor.counters;
  for (let run = 0; run < 20; run += 1) {
    executor.write(inputs, numbers);
    await executor.runAndRead(['two'], [high]);
  }
  for (const name of creators) Reflect.deleteProperty(gpu, name);
  assert.equal(calls, []);
  assert.equal(executor.counters, { ...before, submits: before.submits + 20 });
  executor.destroy();
});

t('refuses overlapping bindings by name', async () => {
  const message = await refusal(affine(low, { ...low, offset: 256 }, 2));
  assert.match(
    message,
    /affine\.2 \(kernel affine\): bindings 1 and 2 overlap in 'activations': bytes 0\.\.400 and 256\.\.656/,
  );
});

t('refuses what the device does not allow, with figures', async () => {
  const { limits } = await sharedDevice();
  assert.match(
    await refusal(affine(inputs, low, 2, { grid: [70000, 1, 1] })),
    /70000 x 1 x 1 .* allows 1 to 65535/,
  );
  assert.match(
    await refusal(affine(inputs, { ...low, offset: 8 }, 2)),
    /offset 8 of 'activations' is not a multiple/,
  );
  assert.match(
    await refusal(affine(inputs, { ...low, size: 8192 }, 2)),
    /bytes 0\.\.8192 are outside of 'activations' \(4096/,
  );
  assert.match(
    await refusal(affine(inputs, low, 2, { bindings: [inputs, low] })),
    /2 buffers are bound, the kernel has 3/,
  );
  assert.match(
    await refusal(affine(inputs, low, 2, { uniforms: Array<number>(65).fill(0) })),
    /65 uniform words/,
  );
  const tooLarge = limits.maxStorageBufferBindingSize + 256;
  if (tooLarge > limits.maxBufferSize) return;
  assert.match(
    await refusal(affine(inputs, { ...low, size: tooLarge }, 2), tooLarge),
    /binds at most \d+\.\d MiB/,
  );
});

t('refuses a buffer that does not fit before it allocates any', async () => {
  const device = await sharedDevice();
  const gpu = device.device;
  let created = 0;
  const real = gpu.createBuffer.bind(gpu);
  Object.defineProperty(gpu, 'createBuffer', {
    configurable: true,
    value: (d: GPUBufferDescriptor) => (created++, real(d)),
  });
  const weights = gpu.limits.maxBufferSize + 1024;
  const message = await messageOf(allocateBuffers(device, { inputs: 16, weights }));
  Reflect.deleteProperty(gpu, 'createBuffer');
  assert.match(message, /buffer 'weights' needs \d+\.\d MiB, and this device allows \d+\.\d MiB/);
  assert.is(created, 0);
});

t('shows the line of a WGSL mistake, and a missing feature', async () => {
  const device = await sharedDevice();
  const broken = { affine: AFFINE.replace('u.factor', 'u.facto') };
  const message = await messageOf(createExecutor(device, manifest([twoSteps]), broken));
  assert.match(message, /kernel affine\.wgsl does not compile/);
  assert.match(message, /facto/);
  const kernels = [{ name: 'affine', bindings: 3, features: ['time-travel'] }];
  const other = createExecutor(device, { ...manifest([twoSteps]), kernels }, shaders);
  assert.match(await messageOf(other), /affine needs time-travel/);
  await device.check();
});

t('names programs it does not have or has not prepared', async () => {
  const executor = await createExecutor(await sharedDevice(), manifest([twoSteps]), shaders, {
    programs: [],
  });
  assert.throws(() => executor.run('three'), /no program 'three'; it has two/);
  assert.throws(() => executor.run('two'), /'two' is not prepared/);
  await executor.prepare(['two']);
  executor.run('two');
  await executor.device.check();
  executor.destroy();
});

t('puts an error down to the program that ran', async () => {
  const executor = await makeTwo();
  executor.buffers.get('inputs').destroy();
  assert.throws(() => executor.run('two'), /WebGPU refused a call during two/);
  await executor.device.check();
  executor.destroy();
});

t('shares buffers between packages', async () => {
  const first = await makeTwo();
  const shared = { inputs: first.buffers.get('inputs') };
  const second = await createExecutor(first.device, manifest([twoSteps]), shaders, { shared });
  second.write(one, new Float32Array([1]));
  second.run('two');
  assert.is((await second.read(low))[7], 15);
  second.destroy();
  first.run('two');
  assert.is((await first.read(low))[7], 15);
  first.destroy();
});

t('moves large slices in pieces', async () => {
  const device: Device = await sharedDevice();
  const size = 65 * 1024 * 1024;
  const buffers = await allocateBuffers(device, { weights: size + 256 });
  const slice: Slice = { buffer: 'weights', offset: 256, size };
  const data = Uint32Array.from({ length: size / 4 }, (_, i) => i);
  buffers.write(slice, data);
  const back = new Uint32Array(await buffers.readBytes(slice));
  assert.is(Buffer.compare(new Uint8Array(back.buffer), new Uint8Array(data.buffer)), 0);
  assert.throws(() => buffers.write({ ...slice, size: 4 }, new Float32Array(2)), /8 bytes do not fit into 4/);
  buffers.destroy();
});

t('profiles by label', async () => {
  const executor = await makeTwo();
  const rows = await profileProgram(executor, 'two', { repeats: 2 });
  assert.equal(rows.map((row) => row.label).sort(), ['affine.*']);
  assert.is(rows[0]?.count, 2);
  assert.match(formatProfile(rows), /affine\.\*/);
  executor.destroy();
});

t.run();
