/** Asks a program on this machine: the image is a file or its standard input, and what it prints is the answer. Node. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { MOST_BYTES, type Reading, type Sight } from './expert.ts';
import { lastWords } from './text.ts';

export interface CommandLine {
  /** The program and its arguments; `{image}` in them is the image's file. */
  readonly words: readonly string[];
  /** Where it is started. */
  readonly folder: string;
}

/** Runs a command for one image, without a shell. @throws Error whose message says what went wrong */
export function askCommand(line: CommandLine, sight: Sight, signal: AbortSignal): Promise<Reading> {
  const named = line.words.some((word) => word.includes('{image}'));
  const [program = '', ...args] = line.words.map((word) => word.replaceAll('{image}', sight.path ?? ''));
  if (named && sight.path === null) throw new Error('the image is not in a file, which `{image}` would name');
  // A group of its own, so that what it has started ends with it.
  const child = spawn(program, args, { cwd: resolve(line.folder), detached: true, windowsHide: true });
  const end = (): void => endGroup(child.pid);
  const release = endWithUs(end, signal);
  const out: Buffer[] = [];
  let size = 0;
  let complaint = '';
  return new Promise<Reading>((answer, fail) => {
    const refuse = (message: string, cause?: unknown): void => fail(new Error(message, { cause }));
    child.on('error', (error: NodeJS.ErrnoException) =>
      refuse(
        `\`${program}\` does not start: ${error.code === 'ENOENT' ? 'there is no such program' : error.message}`,
        error,
      ),
    );
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MOST_BYTES) return out.push(chunk);
      end();
      refuse(`its answer is longer than ${MOST_BYTES / 2 ** 20} MiB`);
    });
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4000)));
    child.on('close', (code, killed) => {
      const why = lastWords(complaint);
      if (code === 0) answer({ text: Buffer.concat(out).toString(), confidence: null });
      else refuse(`\`${program}\` ended with ${code ?? killed}${why === '' ? '' : `: ${why}`}`);
    });
    signal.addEventListener('abort', () => refuse('stopped'));
    // A program that does not read it closes the pipe, which is its right.
    child.stdin.on('error', () => undefined);
    child.stdin.end(named ? undefined : sight.bytes);
  }).finally(release);
}

function endGroup(pid: number | undefined): void {
  try {
    // Windows has no groups; there the program alone is ended.
    if (pid !== undefined) process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** A time-out ends it, and Ctrl-C, which reaches our own group only; gives back how to stop listening. */
function endWithUs(end: () => void, abort: AbortSignal): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const stop = (signal: NodeJS.Signals): void => {
    end();
    release();
    process.kill(process.pid, signal);
  };
  const release = (): void => {
    abort.removeEventListener('abort', end);
    for (const signal of signals) process.off(signal, stop);
    process.off('exit', end);
  };
  for (const signal of signals) process.on(signal, stop);
  process.on('exit', end);
  abort.addEventListener('abort', end);
  return release;
}
