/** Asks a program on this machine: the image is a file or its standard input, and what it prints is the answer. Node. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
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
export async function askCommand(line: CommandLine, sight: Sight, signal: AbortSignal): Promise<Reading> {
  const { path } = sight;
  const named = line.words.some((word) => word.includes('{image}'));
  if (named && path === null) throw new Error('the image is not in a file, which `{image}` would name');
  const [program = '', ...args] = line.words.map((word) => word.split('{image}').join(path ?? ''));
  let child: ChildProcessWithoutNullStreams | null = null;
  // Listened for before the start, so that no Ctrl-C comes between.
  const release = endWithUs(() => child && end(child), signal);
  try {
    // A group of its own, so that what it has started ends with it.
    child = spawn(program, args, { cwd: resolve(line.folder), detached: true, windowsHide: true });
    // A program that does not read it closes the pipe, which is its right.
    child.stdin.on('error', () => undefined);
    child.stdin.end(named ? undefined : sight.bytes);
    return { text: await outputOf(child, program), confidence: null };
  } finally {
    release();
  }
}

/** What it prints, once it has ended well. */
function outputOf(child: ChildProcessWithoutNullStreams, program: string): Promise<string> {
  const out: Buffer[] = [];
  let size = 0;
  let complaint = '';
  return new Promise((answer, fail) => {
    const refuse = (message: string, cause?: unknown): void => fail(new Error(message, { cause }));
    child.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'there is no such program' : error.message;
      refuse(`\`${program}\` does not start: ${why}`, error);
    });
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MOST_BYTES) return out.push(chunk);
      end(child);
      refuse(`its answer is longer than ${MOST_BYTES / 2 ** 20} MiB`);
    });
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4000)));
    child.on('close', (code, killed) => {
      const why = lastWords(complaint);
      if (code === 0) answer(Buffer.concat(out).toString());
      else refuse(`\`${program}\` ended with ${code ?? killed}${why === '' ? '' : `: ${why}`}`);
    });
  });
}

function end(child: ChildProcessWithoutNullStreams): void {
  // What has left the group may hold on to these, and we would wait for it.
  child.stdout.destroy();
  child.stderr.destroy();
  const { pid } = child;
  try {
    // Windows has no groups; there the program alone is ended.
    if (pid !== undefined) process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** A time-out ends it, and Ctrl-C, which reaches our own group only; gives back how to stop listening. */
function endWithUs(stopIt: () => unknown, abort: AbortSignal): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const stop = (signal: NodeJS.Signals): void => {
    stopIt();
    release();
    process.kill(process.pid, signal);
  };
  const release = (): void => {
    abort.removeEventListener('abort', stopIt);
    for (const signal of signals) process.off(signal, stop);
    process.off('exit', stopIt);
  };
  for (const signal of signals) process.on(signal, stop);
  process.on('exit', stopIt);
  abort.addEventListener('abort', stopIt);
  return release;
}
