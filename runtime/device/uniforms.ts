/** The uniform words of dispatches, which never change: one buffer has them all. */
import type { Dispatch, Program } from '../../compiler/package/package.ts';

/** WebGPU's largest default alignment of a uniform offset, and the size of one dispatch's block. */
export const UNIFORM_STEP = 256;

/** What a dispatch's block is found by. */
export function blockKey(dispatch: Dispatch): string {
  return dispatch.uniforms.join(' ');
}

/** Lays the uniform words of all dispatches out at steps of 256 bytes; equal blocks are kept once. */
export function packUniforms(programs: readonly Program[]): {
  words: Uint32Array<ArrayBuffer>;
  offsets: Map<string, number>;
} {
  const offsets = new Map<string, number>();
  const blocks: (readonly number[])[] = [];
  for (const dispatch of programs.flatMap((program) => program.dispatches)) {
    const key = blockKey(dispatch);
    if (offsets.has(key)) continue;
    offsets.set(key, blocks.length * UNIFORM_STEP);
    blocks.push(dispatch.uniforms);
  }
  const words = new Uint32Array((Math.max(1, blocks.length) * UNIFORM_STEP) / 4);
  blocks.forEach((block, index) => words.set(block, (index * UNIFORM_STEP) / 4));
  return { words, offsets };
}
