/** Starts and talks to the processes of the sides. */
import { fork, type ChildProcess } from 'node:child_process';
import { programFile } from '../setup/drivers.mjs';
import type { Answer, Done, Request, SideName } from './side.ts';

/** A side in a process of its own. Ask one thing at a time. */
export interface Contestant {
  readonly name: SideName;
  ask(request: Request): Promise<Done>;
  stop(): void;
}

export type StartOptions = Omit<Extract<Request, { ask: 'open' }>, 'ask' | 'side'>;

/** Starts a side, with more environment variables than ours. */
export async function startContestant(
  name: SideName,
  options: StartOptions,
  env: NodeJS.ProcessEnv = {},
): Promise<Contestant> {
  const script = programFile('runtime/bench/worker');
  // The peers and the driver print things that are nobody's business, unless something goes wrong.
  const child = fork(script, {
    serialization: 'advanced',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaints = '';
  child.stderr?.on('data', (text: Buffer) => (complaints = (complaints + text.toString()).slice(-2000)));
  const contestant: Contestant = {
    name,
    ask: (request) => ask(child, request, () => complaints),
    stop: () => child.kill(),
  };
  try {
    await contestant.ask({ ask: 'open', side: name, ...options });
    return contestant;
  } catch (error) {
    contestant.stop();
    throw error;
  }
}

function ask(child: ChildProcess, request: Request, complaints: () => string): Promise<Done> {
  return new Promise((resolve, reject) => {
    const done = () => {
      child.off('message', hear);
      child.off('exit', ended);
    };
    const hear = (answer: Answer) => {
      done();
      if (answer.ok) resolve(answer);
      else reject(Object.assign(new Error(answer.error), { name: answer.name }));
    };
    const ended = (code: number | null) => {
      done();
      reject(new Error(`a benchmark process ended with ${code} during '${request.ask}':\n${complaints()}`));
    };
    child.on('message', hear);
    child.on('exit', ended);
    if (child.connected) child.send(request);
    else ended(child.exitCode);
  });
}
