/** `graft` as a user starts it: a process of its own. Starting one is slow, so many command lines can share one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const entry = join(root, 'runtime/cli/main.ts');

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const start = (script: string, args: readonly string[], cwd: string): ChildProcess =>
  spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, ...args], {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
  });

/** A running `graft`; the caller may kill it. */
export const startGraft = (args: readonly string[], cwd: string): ChildProcess => start(entry, args, cwd);

async function collect(child: ChildProcess): Promise<Outcome> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk) => (out += String(chunk)));
  child.stderr?.on('data', (chunk) => (err += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

/** Runs one command line to its end. */
export const graft = (args: readonly string[], cwd: string): Promise<Outcome> =>
  collect(startGraft(args, cwd));

/** Runs several command lines one after the other in one process; each gives its exit code and what it printed. */
export async function graftEach(lines: readonly (readonly string[])[], cwd: string): Promise<Outcome[]> {
  const child = start(join(import.meta.dirname, 'driver.ts'), [], cwd);
  child.stdin?.end(JSON.stringify(lines));
  const { code, out, err } = await collect(child);
  if (code !== 0) throw new Error(`the driver ended with ${code}:\n${err}\n${out}`);
  return JSON.parse(out) as Outcome[];
}
