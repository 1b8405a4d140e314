/**
 * Runs the programs of a package. Everything is built once, ahead: pipelines, one uniform buffer with the words of every dispatch,
 * bind groups. A run then encodes one compute pass and submits once; it creates nothing.
 *
 * All storage bindings are `read_write`, because one arena is bound several times in a dispatch and WebGPU forbids to mix a
 * read-only and a writable use of one buffer there. Overlapping ranges are an error even so, and are refused here by name.
 */
import type { Dispatch, KernelEntry, Manifest, Program, Slice } from '../../compiler/package/package.ts';
import { allocateBuffers, type Buffers, type HostArray } from './buffers.ts';
import type { Device } from './device.ts';
import { checkDispatch, checkKernel } from './limits.ts';
import { buildPipeline, makeLayout } from './pipelines.ts';
import { blockKey, packUniforms, UNIFORM_STEP } from './uniforms.ts';

/** Gives the WGSL text of a kernel by its name in the manifest. */
export type ShaderSource = Readonly<Record<string, string>> | ((name: string) => string);

/** What of a manifest the executor needs, so that a test can hand in a few lines. */
export type Runnable = Pick<Manifest, 'kernels' | 'programs' | 'buffers'>;

export interface ExecutorOptions {
  /** Names of the programs to build now; the default is all. Others can follow with `prepare`. */
  readonly programs?: readonly string[];
  /** Buffers of another executor on the same device, used instead of own ones, such as its frozen `weights`. */
  readonly shared?: Readonly<Partial<Record<Slice['buffer'], GPUBuffer>>>;
}

/** A program, by name or itself, whole or a range of its dispatches. */
export type Work =
  string | Program | { readonly program: string | Program; readonly from?: number; readonly to?: number };

/** Counts since the executor was made; a steady state raises `submits` only. */
export interface Counters {
  readonly buffers: number;
  readonly staging: number;
  readonly bindGroups: number;
  readonly pipelines: number;
  readonly submits: number;
}

interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly dispatch: Dispatch;
}

/** A package on a device, ready to run. Make one with `createExecutor`. */
export class Executor {
  readonly device: Device;
  readonly manifest: Runnable;
  readonly buffers: Buffers;
  readonly #shaders: ShaderSource;
  readonly #layouts = new Map<number, GPUBindGroupLayout>();
  readonly #pipelines = new Map<number, Promise<GPUComputePipeline>>();
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  readonly #programs = new Map<Program, readonly Step[]>();
  readonly #uniforms: GPUBuffer[] = [];
  #submits = 0;

  constructor(device: Device, manifest: Runnable, shaders: ShaderSource, buffers: Buffers) {
    this.device = device;
    this.manifest = manifest;
    this.buffers = buffers;
    this.#shaders = shaders;
  }

  get counters(): Counters {
    const { buffers, staging } = this.buffers.counters;
    return {
      buffers: buffers + this.#uniforms.length,
      staging,
      bindGroups: this.#bindGroups.size,
      pipelines: this.#pipelines.size,
      submits: this.#submits,
    };
  }

  /** The program of a name. */
  program(name: string | Program): Program {
    if (typeof name !== 'string') return name;
    const found = this.manifest.programs.find((program) => program.name === name);
    if (found) return found;
    const known = this.manifest.programs.map((program) => program.name).join(', ');
    throw new Error(`this package has no program '${name}'; it has ${known}`);
  }

  /** Checks programs and builds what they need; a program that is ready costs nothing. */
  async prepare(programs: readonly (string | Program)[]): Promise<void> {
    const fresh = programs
      .map((name) => this.program(name))
      .filter((program) => !this.#programs.has(program));
    if (fresh.length === 0) return;
    for (const program of fresh)
      for (const dispatch of program.dispatches)
        checkDispatch(this.device, this.buffers, this.#kernel(dispatch), dispatch);
    const used = new Set(fresh.flatMap((program) => program.dispatches.map((dispatch) => dispatch.kernel)));
    await this.device.wait(Promise.all([...used].map((index) => this.#pipeline(index))));
    this.device.begin('building bind groups');
    const blocks = packUniforms(fresh);
    const uniforms = this.#uploadUniforms(blocks.words);
    for (const program of fresh) {
      const steps: Step[] = [];
      for (const dispatch of program.dispatches) {
        const pipeline = await this.#pipeline(dispatch.kernel);
        const offset = blocks.offsets.get(blockKey(dispatch)) ?? 0;
        steps.push({ pipeline, bindGroup: this.#bindGroup(dispatch, uniforms, offset), dispatch });
      }
      this.#programs.set(program, steps);
    }
    this.device.assertHealthy();
  }

  /** Encodes a program as one compute pass and submits it once. Does not wait. */
  run(work: Work): void {
    this.runMany([work]);
  }

  /** Runs several programs, in order, in one submit. Does not wait. */
  runMany(works: readonly Work[]): void {
    this.#submit(works, []);
  }

  /** Runs programs and reads slices back, all in one submit. */
  async runAndRead(works: readonly Work[], slices: readonly Slice[]): Promise<Float32Array[]> {
    const pending = this.#submit(works, slices);
    return (await pending.collect()).map((bytes) => new Float32Array(bytes));
  }

  /** Writes numbers to the start of a slice, ahead of the work submitted after it. */
  write(slice: Slice, data: HostArray): void {
    this.buffers.write(slice, data);
  }

  /** Reads a slice as floats, once the work submitted so far is done. */
  async read(slice: Slice): Promise<Float32Array> {
    return new Float32Array(await this.buffers.readBytes(slice));
  }

  /** Reads a slice as 32-bit words. */
  async readWords(slice: Slice): Promise<Uint32Array> {
    return new Uint32Array(await this.buffers.readBytes(slice));
  }

  /** The built steps of a program; for the profiler. */
  steps(program: string | Program): readonly Step[] {
    const found = this.#programs.get(this.program(program));
    if (!found)
      throw new Error(
        `program '${this.program(program).name}' is not prepared: await executor.prepare([...])`,
      );
    return found;
  }

  /** Frees the buffers. The executor is of no use after that. */
  destroy(): void {
    this.buffers.destroy();
    for (const buffer of this.#uniforms) buffer.destroy();
    this.#programs.clear();
  }

  #submit(works: readonly Work[], slices: readonly Slice[]): { collect(): Promise<ArrayBuffer[]> } {
    const ranges = works.map((work) => this.#range(work));
    const label = ranges.map((range) => range.name).join(' + ');
    this.device.assertHealthy();
    this.device.begin(label);
    const encoder = this.device.device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    for (const range of ranges) for (const step of range.steps) encodeStep(pass, step);
    pass.end();
    const pending = slices.length > 0 ? this.buffers.stage(encoder, slices) : null;
    this.device.device.queue.submit([encoder.finish()]);
    this.#submits += 1;
    this.device.assertHealthy();
    return pending ?? { collect: () => Promise.resolve([]) };
  }

  #range(work: Work): { readonly name: string; readonly steps: readonly Step[] } {
    if (typeof work === 'string' || !('program' in work))
      return { name: this.program(work).name, steps: this.steps(work) };
    const { program, from = 0, to } = work;
    return { name: this.program(program).name, steps: this.steps(program).slice(from, to) };
  }

  #kernel(dispatch: Dispatch): KernelEntry {
    const kernel = this.manifest.kernels[dispatch.kernel];
    if (!kernel) throw new Error(`${dispatch.label}: the package has no kernel ${dispatch.kernel}`);
    return kernel;
  }

  #layout(bindings: number): GPUBindGroupLayout {
    const known = this.#layouts.get(bindings);
    if (known) return known;
    const layout = makeLayout(this.device, bindings);
    this.#layouts.set(bindings, layout);
    return layout;
  }

  #pipeline(index: number): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(index);
    if (known) return known;
    const kernel = this.manifest.kernels[index] as KernelEntry;
    const code =
      typeof this.#shaders === 'function' ? this.#shaders(kernel.name) : this.#shaders[kernel.name];
    if (code === undefined) throw new Error(`the package has no shader '${kernel.name}.wgsl'`);
    checkKernel(this.device, kernel, code);
    const made = buildPipeline(this.device, kernel.name, code, this.#layout(kernel.bindings));
    this.#pipelines.set(index, made);
    return made;
  }

  #uploadUniforms(words: Uint32Array<ArrayBuffer>): GPUBuffer {
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const buffer = this.device.device.createBuffer({ label: 'uniforms', size: words.byteLength, usage });
    this.device.device.queue.writeBuffer(buffer, 0, words);
    this.#uniforms.push(buffer);
    return buffer;
  }

  #bindGroup(dispatch: Dispatch, uniforms: GPUBuffer, offset: number): GPUBindGroup {
    const slices = dispatch.bindings.map(({ buffer, offset: from, size }) => `${buffer}:${from}:${size}`);
    const key = [this.#uniforms.indexOf(uniforms), offset, ...slices].join(' ');
    const known = this.#bindGroups.get(key);
    if (known) return known;
    const storage = dispatch.bindings.map((slice, index) => ({
      binding: index + 1,
      resource: { buffer: this.buffers.get(slice.buffer), offset: slice.offset, size: slice.size },
    }));
    const made = this.device.device.createBindGroup({
      label: dispatch.label,
      layout: this.#layout(dispatch.bindings.length),
      entries: [{ binding: 0, resource: { buffer: uniforms, offset, size: UNIFORM_STEP } }, ...storage],
    });
    this.#bindGroups.set(key, made);
    return made;
  }
}

function encodeStep(pass: GPUComputePassEncoder, { pipeline, bindGroup, dispatch }: Step): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...dispatch.grid);
}

/** Allocates the buffers of a package and builds its programs. What is in the buffers is zero until it is written. */
export async function createExecutor(
  device: Device,
  manifest: Runnable,
  shaders: ShaderSource,
  options: ExecutorOptions = {},
): Promise<Executor> {
  device.assertHealthy();
  const buffers = await allocateBuffers(device, manifest.buffers, options.shared);
  const executor = new Executor(device, manifest, shaders, buffers);
  try {
    await executor.prepare(options.programs ?? manifest.programs);
  } catch (error) {
    executor.destroy();
    throw error;
  }
  return executor;
}
