/** Several processes on one folder: each is this command again, and what they share is the folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { InputError } from '../../input-error.ts';

/** Set in the environment of a process that another one started: it runs trials and reports nothing. */
const WORKER = 'GRAFT_SWEEP_WORKER';

/** Whether this process is one of several; then it ends with the one that started it, whatever ends that. */
export function isWorker(): boolean {
  if (process.env[WORKER] === undefined) return false;
  process.stdin.once('end', () => process.exit(130)).resume();
  process.stdin.unref();
  return true;
}

/**
 * Starts `count` processes with the arguments of this command, and waits for all. One that dies is no loss: the others take
 * over what it had.
 * @throws InputError when all of them died
 */
export async function runJobs(count: number, args: readonly string[]): Promise<void> {
  const [node = process.execPath, script = ''] = process.argv;
  const children = Array.from({ length: count }, (_, i) => {
    const child = spawn(node, [...process.execArgv, script, 'sweep', ...args], {
      env: { ...process.env, [WORKER]: String(i + 1) },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    createInterface(child.stderr).on('line', (line) => console.error(`[${i + 1}] ${line}`));
    return child;
  });
  const stop = (): void => children.forEach((child) => child.kill('SIGTERM'));
  process.once('exit', stop);
  const codes = await Promise.all(
    children.map(async (child) => ((await once(child, 'close')) as [number | null])[0]),
  );
  process.off('exit', stop);
  if (codes.every((code) => code !== 0))
    throw new InputError(
      `all ${count} processes ended before the sweep was over`,
      'their last lines say why; the same command goes on',
    );
}
