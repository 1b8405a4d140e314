/** Experts that compute, in processes of their own: one that hangs is ended, one that crashes takes nothing along. Node. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Picture } from '../images/picture.ts';
import type { DetectOptions } from './detect.ts';
import type { Expert, Reading } from './expert.ts';
import type { OcrOptions } from './ocr.ts';
import { programFile } from '../setup/drivers.mjs';
import { lastWords } from './text.ts';

/** What the process is to open. */
export type Job = ({ readonly kind: 'ocr' } & OcrOptions) | ({ readonly kind: 'detect' } & DetectOptions);

export interface Request {
  /** Comes with the first picture only. */
  readonly job: Job | null;
  readonly picture: Picture;
}

export type Reply =
  { readonly ok: true; readonly reading: Reading } | { readonly ok: false; readonly error: string };

interface Running {
  readonly child: ChildProcess;
  /** The end of what it has printed as errors. */
  complaint: string;
}

/**
 * `look` and `close` of an expert that does this job. The process starts with the first image and reads the others too;
 * after a time-out or a crash the next image starts a new one.
 * @param prepare reads the files the job needs, in our process so that a missing one is told in our words
 */
export function inProcess(prepare: () => Promise<Job>): Pick<Expert, 'look' | 'close'> {
  let running: Running | null = null;
  const stop = (): void => {
    running?.child.kill('SIGKILL');
    running = null;
  };
  return {
    async look(sight, signal) {
      const picture = await sight.picture();
      const job = running === null ? await prepare() : null;
      signal.throwIfAborted();
      const own = (running ??= start());
      // The next image may have started another process by the time this one is known to have ended.
      const stopOwn = (): void => {
        own.child.kill('SIGKILL');
        if (running === own) running = null;
      };
      signal.addEventListener('abort', stopOwn);
      try {
        return await ask(own, { job, picture });
      } catch (error) {
        stopOwn();
        throw error;
      } finally {
        signal.removeEventListener('abort', stopOwn);
      }
    },
    close: stop,
  };
}

function start(): Running {
  const script = programFile('runtime/experts/worker');
  const child = fork(script, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const running: Running = { child, complaint: '' };
  child.stderr?.on('data', (text: Buffer) => {
    running.complaint = (running.complaint + text.toString()).slice(-4000);
  });
  return running;
}

function ask(running: Running, request: Request): Promise<Reading> {
  const { child } = running;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      child.off('message', hear);
      child.off('exit', ended);
      child.off('error', failed);
    };
    const hear = (reply: Reply): void => {
      settle();
      if (reply.ok) resolve(reply.reading);
      else reject(new Error(reply.error));
    };
    const ended = (code: number | null, signal: string | null): void => {
      settle();
      const why = lastWords(running.complaint);
      reject(new Error(`its process ended with ${code ?? signal}${why === '' ? '' : `: ${why}`}`));
    };
    const failed = (cause: Error): void => {
      settle();
      reject(new Error(`its process does not start: ${cause.message}`, { cause }));
    };
    child.on('message', hear);
    child.on('exit', ended);
    child.on('error', failed);
    child.send(request);
  });
}
