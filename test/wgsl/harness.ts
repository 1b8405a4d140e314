/**
 * Runs the launches of one node on a device and compares every output with the float64 reference of its operation.
 *
 * All tensors lie in one buffer, as they do in the runtime, with guards of NaN between them: a kernel that reads past a
 * tensor takes garbage home, a kernel that writes past one breaks a guard, and both fail the test.
 */
import type { Graph, Node, Tensor } from '../../compiler/graph/graph.ts';
import { ops } from '../../compiler/ops/index.ts';
import type { Op, Operand } from '../../compiler/ops/op.ts';
import type { Kernel, Launch } from '../../compiler/wgsl/kernel.ts';
import { extent } from '../../compiler/graph/tape.ts';
import { padded } from '../../compiler/model/model.ts';
import { sizeOf } from '../../compiler/passes/memory.ts';
import { decodeRows, encodeRows, formats } from '../../compiler/storage/index.ts';
import { invariant } from '../../grammar/invariant.ts';
import { type Device, DeviceError, openDevice } from '../../runtime/device/device.ts';

/** What a device finds in memory nobody wrote: a NaN with a payload that arithmetic does not make. */
const GARBAGE = 0x7fc0dead;
/** Storage bindings start at multiples of this many words (256 bytes); it is also the least guard. */
const ALIGN = 64;

export type Slots = readonly (Float64Array | null)[];

/** How closely `checkNode` compares. */
export interface Closeness {
  /** Values of the outputs before the run (for the reference too), by output slot; elsewhere NaN on the device. */
  readonly before?: Slots;
  /** Greatest absolute error of each number, by output slot; default `absolute + relative * |wanted|`. */
  readonly bounds?: Slots;
  readonly absolute?: number;
  readonly relative?: number;
  /** Output slots that are not compared. */
  readonly ignore?: readonly number[];
}

/** A device for tests, or null where there is none (the tests are then skipped, visibly). */
export async function openTestDevice(): Promise<Device | null> {
  try {
    return await openDevice();
  } catch (error) {
    if (error instanceof DeviceError && error.fault === 'unavailable') return null;
    throw error;
  }
}

interface Place {
  readonly tensor: Tensor;
  readonly word: number;
  readonly words: number;
}

const roundUp = (n: number) => Math.ceil(n / ALIGN) * ALIGN;

function tensorOf(graph: Graph, id: number): Tensor {
  const tensor = graph.tensors[id];
  invariant(tensor, `no tensor ${id}`);
  return tensor;
}

/** Gives every tensor of the node a place in the arena, a guard after each. */
function layOut(node: Node, graph: Graph): { places: Map<number, Place>; words: number } {
  const places = new Map<number, Place>();
  let word = ALIGN;
  for (const id of [...node.inputs, ...node.outputs]) {
    if (id === null || places.has(id)) continue;
    const tensor = tensorOf(graph, id);
    const words = sizeOf(tensor) / 4;
    places.set(id, { tensor, word, words });
    word += roundUp(words) + ALIGN;
  }
  return { places, words: word };
}

/** The numbers a kernel reads where these are written: rounded as the tensor stores them. */
export function asStored(
  { storage, axis }: Pick<Tensor, 'storage' | 'axis'>,
  values: Float64Array,
): Float64Array {
  if (storage === undefined) return values;
  const [format, width] = [formats[storage], padded(axis)];
  return Float64Array.from(decodeRows(format, encodeRows(format, Float32Array.from(values), width), width));
}

function write(arena: Uint32Array, place: Place, values: Float64Array): void {
  const { storage, axis } = place.tensor;
  if (storage !== undefined) {
    const words = encodeRows(formats[storage], Float32Array.from(values), padded(axis));
    invariant(words.length === place.words, `${words.length} stored words for ${place.words}`);
    arena.set(words, place.word);
    return;
  }
  invariant(
    values.length === place.words,
    `${place.tensor.name}: ${values.length} values for ${place.words} words`,
  );
  if (place.tensor.dtype === 'u32') arena.set(values, place.word);
  else new Float32Array(arena.buffer).set(values, place.word);
}

function read(arena: Uint32Array, place: Place): Float64Array {
  const words = place.tensor.dtype === 'u32' ? arena : new Float32Array(arena.buffer);
  return Float64Array.from(words.subarray(place.word, place.word + place.words));
}

const pipelines = new WeakMap<GPUDevice, Map<string, { code: string; pipeline: GPUComputePipeline }>>();

/** Compiles a kernel once per device; two codes under one name are an error. */
function pipelineOf(device: GPUDevice, kernel: Kernel): GPUComputePipeline {
  let known = pipelines.get(device);
  if (!known) pipelines.set(device, (known = new Map()));
  const found = known.get(kernel.name);
  if (found) {
    invariant(found.code === kernel.code, `two kernels are named ${kernel.name}`);
    return found.pipeline;
  }
  const entries: GPUBindGroupLayoutEntry[] = [{ binding: 0, visibility: 4, buffer: { type: 'uniform' } }];
  for (let i = 1; i <= kernel.bindings; i++)
    entries.push({ binding: i, visibility: 4, buffer: { type: 'storage' } });
  const layout = device.createPipelineLayout({
    bindGroupLayouts: [device.createBindGroupLayout({ entries })],
  });
  const module = device.createShaderModule({ code: kernel.code, label: kernel.name });
  const pipeline = device.createComputePipeline({
    layout,
    compute: { module, entryPoint: 'main' },
    label: kernel.name,
  });
  known.set(kernel.name, { code: kernel.code, pipeline });
  return pipeline;
}

/** What every launch promises, see kernel.ts. */
function validate(launch: Launch): void {
  const { kernel, operands, uniforms, grid } = launch;
  const say = (what: string) => `${kernel.name}: ${what}`;
  invariant(/^[a-z0-9_]+$/i.test(kernel.name), say('a name that is no file name'));
  invariant(kernel.bindings <= 8, say('more than 8 storage bindings'));
  invariant(
    operands.length === kernel.bindings,
    say(`${operands.length} operands for ${kernel.bindings} bindings`),
  );
  invariant(uniforms.length >= 1 && uniforms.length <= 64, say(`${uniforms.length} uniform words`));
  invariant(
    uniforms.every((w) => Number.isInteger(w) && w >= 0 && w <= 0xffffffff),
    say('a uniform that is no word'),
  );
  invariant(
    grid.every((g) => Number.isInteger(g) && g >= 1 && g <= 65535),
    say(`grid ${grid.join(' x ')}`),
  );
  const used = operands.filter((id) => id !== null);
  invariant(new Set(used).size === used.length, say('a tensor is bound twice'));
}

/** One uniform block, padded to whole vec4s. */
function uniformBuffer(device: GPUDevice, words: readonly number[]): GPUBuffer {
  const size = Math.ceil(words.length / 4) * 16;
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  const padded = new Uint32Array(size / 4);
  padded.set(words);
  device.queue.writeBuffer(buffer, 0, padded);
  return buffer;
}

/** Prepared work: encode it as often as wanted, read the arena back, then release it. */
export interface Prepared {
  /** Encodes all launches, `times` over, in one pass; returns the command buffer. */
  readonly encode: (times?: number) => GPUCommandBuffer;
  readonly readBack: () => Promise<Float64Array[]>;
  readonly release: () => void;
}

/** Uploads the inputs and builds pipelines and bind groups. */
export function prepareNode(
  node: Node,
  graph: Graph,
  inputs: Slots,
  launches: readonly Launch[],
  target: Device,
  before: Slots = [],
): Prepared {
  const { device } = target;
  const { places, words } = layOut(node, graph);
  const scratch = words;
  const total = words + 8 * ALIGN * 2;
  const image = new Uint32Array(total).fill(GARBAGE);
  const put = (ids: readonly (number | null)[], values: Slots) =>
    ids.forEach((id, slot) => {
      const given = values[slot];
      const place = id === null ? undefined : places.get(id);
      if (given && place) write(image, place, given);
    });
  put(node.outputs, before);
  put(node.inputs, inputs);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const arena = device.createBuffer({ size: total * 4, usage });
  device.queue.writeBuffer(arena, 0, image);
  const made: GPUBuffer[] = [arena];

  const bind = (launch: Launch) => {
    validate(launch);
    const pipeline = pipelineOf(device, launch.kernel);
    const uniform = uniformBuffer(device, launch.uniforms);
    made.push(uniform);
    const entries: GPUBindGroupEntry[] = [{ binding: 0, resource: { buffer: uniform } }];
    launch.operands.forEach((id, i) => {
      const place = id === null ? undefined : places.get(id);
      invariant(id === null || place, `${launch.kernel.name}: tensor ${id} is no operand of the node`);
      const [offset, size] = place
        ? [place.word * 4, place.words * 4]
        : [(scratch + 2 * i * ALIGN) * 4, ALIGN * 4];
      entries.push({ binding: i + 1, resource: { buffer: arena, offset, size: Math.ceil(size / 16) * 16 } });
    });
    return {
      pipeline,
      group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
      grid: launch.grid,
    };
  };
  target.begin(`node ${node.op} (${launches.map((l) => l.kernel.name).join(', ')})`);
  const bound = launches.map(bind);

  const encode = (times = 1) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < times; i++)
      for (const { pipeline, group, grid } of bound) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...grid);
      }
    pass.end();
    return encoder.finish();
  };
  const readBack = async () => {
    const after = await copyOut(target, arena, total * 4);
    checkGuards(after, places, scratch);
    return node.outputs.map((id) => {
      const place = id === null ? undefined : places.get(id);
      return place ? read(after, place) : new Float64Array(0);
    });
  };
  return { encode, readBack, release: () => made.forEach((buffer) => buffer.destroy()) };
}

async function copyOut(target: Device, buffer: GPUBuffer, size: number): Promise<Uint32Array> {
  const { device } = target;
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await target.wait(staging.mapAsync(GPUMapMode.READ));
  const words = new Uint32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return words;
}

function checkGuards(arena: Uint32Array, places: Map<number, Place>, end: number): void {
  const ordered = [...places.values()].sort((a, b) => a.word - b.word);
  let from = 0;
  let last = 'the start';
  for (const place of [...ordered, { word: end, words: 0, tensor: { name: 'the end' } }]) {
    for (let i = from; i < place.word; i++)
      invariant(
        arena[i] === GARBAGE,
        `a kernel wrote ${i - from + 1} words past ${last}, before ${place.tensor.name}`,
      );
    from = place.word + place.words;
    last = place.tensor.name;
  }
}

/**
 * Runs the launches of one node; `inputs` by input slot, the result by output slot (empty for unused slots). Outputs hold
 * NaN before the run unless `before` says otherwise or they are also inputs (operations in place).
 */
export async function runNode(
  node: Node,
  graph: Graph,
  inputs: Slots,
  launches: readonly Launch[],
  device: Device,
  before: Slots = [],
): Promise<Float64Array[]> {
  const prepared = prepareNode(node, graph, inputs, launches, device, before);
  try {
    device.device.queue.submit([prepared.encode()]);
    return await prepared.readBack();
  } finally {
    prepared.release();
  }
}

/** What the operation's reference gives for these inputs, in float64, by output slot. */
export function referenceOf(node: Node, graph: Graph, inputs: Slots, before: Slots = []): Float64Array[] {
  const operands = node.inputs.map((id, slot): Operand | null => {
    const values = inputs[slot];
    return id === null || !values
      ? null
      : { tensor: tensorOf(graph, id), values: rounded(values, tensorOf(graph, id)) };
  });
  const outputs = node.outputs.map((id, slot): Operand | null => {
    if (id === null) return null;
    const tensor = tensorOf(graph, id);
    const source = before[slot] ?? inputs[node.inputs.indexOf(id)];
    return { tensor, values: source ? rounded(source, tensor) : new Float64Array(extent(tensor)) };
  });
  const run = ops[node.op].reference as Op<Node['op']>['reference'];
  run(node, operands, outputs);
  return outputs.map((o) => o?.values ?? new Float64Array(0));
}

/** A fresh copy, with the precision the device sees. */
const rounded = (values: Float64Array, tensor: Tensor): Float64Array =>
  tensor.dtype === 'u32' ? values.slice() : Float64Array.from(Float32Array.from(values));

/** Runs a node on the device and in the reference and fails where they differ. Returns the device's outputs. */
export async function checkNode(
  node: Node,
  graph: Graph,
  inputs: Slots,
  launches: readonly Launch[],
  device: Device,
  closeness: Closeness = {},
): Promise<Float64Array[]> {
  const wanted = referenceOf(node, graph, inputs, closeness.before);
  const got = await runNode(node, graph, inputs, launches, device, closeness.before);
  const kernels = launches.map((l) => l.kernel.name).join(', ');
  got.forEach((values, slot) => {
    if (closeness.ignore?.includes(slot)) return;
    const problem = difference(values, wanted[slot] ?? values, closeness, slot);
    invariant(!problem, `${node.op} by ${kernels}, output ${slot}: ${problem}`);
  });
  return got;
}

/** The worst difference in words, or null when all numbers are close enough. */
function difference(
  got: Float64Array,
  wanted: Float64Array,
  closeness: Closeness,
  slot: number,
): string | null {
  const { absolute = 1e-6, relative = 1e-5, bounds } = closeness;
  let wrong = 0;
  let first = '';
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [got[i] ?? NaN, wanted[i] ?? NaN];
    const bound = bounds?.[slot]?.[i] ?? absolute + relative * Math.abs(b);
    if (Object.is(a, b) || a === b || Math.abs(a - b) <= bound) continue;
    wrong += 1;
    first ||= `[${i}] is ${a}, wanted ${b} (+-${bound.toExponential(1)})`;
  }
  return wrong === 0 ? null : `${wrong} of ${wanted.length} numbers differ; ${first}`;
}

/** A small deterministic generator for test data: uniform in [-1, 1). */
export function randomValues(length: number, seed: number): Float64Array {
  const values = new Float64Array(length);
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = Math.fround(state / 2147483648 - 1);
  }
  return values;
}
