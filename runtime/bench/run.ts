/** A whole benchmark: every operation on every side, each side in a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure } from './measure.ts';
import type { Operation } from './ops.ts';
import { type Contestant, startContestant } from './process.ts';
import { referenceResult } from './reference.ts';
import { type Line, linesOf } from './rows.ts';
import type { SideName } from './side.ts';

export interface BenchOptions {
  /** Where jax-js and tfjs are installed, or null. */
  readonly peers: string | null;
  readonly operations: readonly Operation[];
  readonly rounds: number;
  /** Peers wait for the device as we do. */
  readonly sameWait: boolean;
  /** First calls with no compiled shader on disk. */
  readonly cold: boolean;
  readonly log: (text: string) => void;
}

/** Measures, one process a side, one side at a time. */
export async function runBench(options: BenchOptions): Promise<Line[]> {
  const { peers, operations, rounds, sameWait, log } = options;
  const shaders = options.cold ? mkdtempSync(join(tmpdir(), 'graft-bench-')) : null;
  const env = shaders === null ? {} : { MESA_SHADER_CACHE_DIR: shaders };
  const contestants: Contestant[] = [];
  try {
    const names: readonly SideName[] = peers === null ? ['ours'] : ['ours', 'jax-js', 'tfjs'];
    for (const name of names) contestants.push(await startContestant(name, { folder: peers, sameWait }, env));
    const lines: Line[] = [];
    for (const group of groupsOf(operations)) {
      const measured = await measure(group, contestants, rounds, log);
      for (const { side, op, error } of measured.failures) log(`${op.name} failed on ${side}: ${error}`);
      lines.push(...linesOf(measured, referenceResult));
    }
    return lines;
  } finally {
    for (const contestant of contestants) contestant.stop();
    if (shaders !== null) rmSync(shaders, { recursive: true, force: true });
  }
}

/** The block's steps are compared with each other, so they are measured in turns; all else by itself. */
function groupsOf(operations: readonly Operation[]): Operation[][] {
  const blocks = operations.filter((op) => op.kind === 'block');
  const others = operations.filter((op) => op.kind !== 'block').map((op) => [op]);
  return blocks.length > 0 ? [...others, blocks] : others;
}
