/** Kernels and launches: the WGSL that an emitter makes for a node, and how it is launched. */
import type { Graph, Node } from '../graph/graph.ts';
import type { Profile } from '../package/package.ts';

export interface Kernel {
  /** A name that no other code has: it contains every choice that shaped the code, as in `gemm_nt_r16c4s8`. */
  readonly name: string;
  readonly code: string;
  /** Storage bindings at binding 1..n of group 0, all `read_write`; binding 0 is the uniform block. */
  readonly bindings: number;
  /** WebGPU features it needs. */
  readonly features: readonly string[];
}

export interface Launch {
  readonly kernel: Kernel;
  /** Tensor ids in binding order; null = unused by this launch, some scratch is bound. No id may appear twice. */
  readonly operands: readonly (number | null)[];
  /** 32-bit words of the uniform block, at most 64, floats as bits (`floatBits`). */
  readonly uniforms: readonly number[];
  /** Workgroups; every extent at most 65535. */
  readonly grid: readonly [number, number, number];
}

/** Chooses kernels for one node. Pure: the same node and profile always give the same launches. */
export type Emit = (node: Node, graph: Graph, profile: Profile) => readonly Launch[];

const scratch = new DataView(new ArrayBuffer(4));

/** The bits of a 32-bit float as an unsigned integer. */
export function floatBits(x: number): number {
  scratch.setFloat32(0, x);
  return scratch.getUint32(0);
}
