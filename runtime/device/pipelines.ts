/** Compute pipelines of kernels: one uniform block at binding 0, then storage buffers. */
import type { Device } from './device.ts';

/** The layout of a kernel with so many storage buffers. */
export function makeLayout({ device }: Device, bindings: number): GPUBindGroupLayout {
  const entries = Array.from({ length: bindings + 1 }, (_, binding) => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type: binding === 0 ? ('uniform' as const) : ('storage' as const) },
  }));
  return device.createBindGroupLayout({ label: `${bindings} storage bindings`, entries });
}

/** Compiles a kernel. @throws Error with the line of a mistake in its WGSL */
export async function buildPipeline(
  device: Device,
  name: string,
  code: string,
  layout: GPUBindGroupLayout,
): Promise<GPUComputePipeline> {
  const gpu = device.device;
  device.begin(`compiling ${name}.wgsl`);
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ label: name, code });
  const invalid = gpu.popErrorScope();
  const pipelineLayout = gpu.createPipelineLayout({ label: name, bindGroupLayouts: [layout] });
  const made = gpu
    .createComputePipelineAsync({
      label: name,
      layout: pipelineLayout,
      compute: { module, entryPoint: 'main' },
    })
    .then(
      (pipeline) => ({ pipeline }),
      (error: unknown) => ({ error }),
    );
  const problem = await invalid;
  const result = await made;
  if ('pipeline' in result && !problem) return result.pipeline;
  const detail = problem?.message ?? ('error' in result ? String(result.error) : '');
  throw new Error(`kernel ${name}.wgsl does not compile:\n${detail.trim()}`);
}
