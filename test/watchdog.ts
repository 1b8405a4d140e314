/** Ends the process when a test file takes too long. A thread of its own, since a hung test may block the main one. */
import { Worker } from 'node:worker_threads';

const SOURCE = `
  const { parentPort, workerData } = require('node:worker_threads');
  let timer;
  parentPort.on('message', ({ file, passed, failed, skipped }) => {
    clearTimeout(timer);
    if (!file) return;
    timer = setTimeout(() => {
      const counts = passed + ' passed, ' + (failed + 1) + ' failed' + (skipped ? ', ' + skipped + ' skipped' : '');
      const text = '\\n' + file + ': not done after ' + workerData / 1000 + ' s, stopped\\n' + counts + '\\n';
      require('node:fs').writeSync(1, text);
      process.kill(process.pid, 'SIGKILL');
    }, workerData);
  });
`;

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Starts the watchdog; call `watch` before each file. */
export function startWatchdog(milliseconds: number): {
  watch(file: string, counts: Counts): void;
  stop(): Promise<unknown>;
} {
  const worker = new Worker(SOURCE, { eval: true, workerData: milliseconds, execArgv: [] });
  return {
    watch: (file, counts) => worker.postMessage({ file, ...counts }),
    stop: () => worker.terminate(),
  };
}
