/** `npm run base` and `npm run fusion -- table`: each stands for several programs, of which the first word names one. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The programs of a folder: the word, the file beside `main.ts`, and what it does. */
export type Programs = Readonly<Record<string, readonly [file: string, about: string]>>;

/** Starts the program that the first argument names, with the arguments after it; lists all of them when it names none. */
export function startProgram(
  script: string,
  folder: string,
  programs: Programs,
  argv: readonly string[],
): number {
  const [name = '', ...rest] = argv;
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (program === undefined) {
    const lines = Object.entries(programs).map(([word, [, about]]) => `  ${word.padEnd(9)} ${about}`);
    console.error([`usage: npm run ${script} -- PROGRAM [ARGUMENTS]`, '', ...lines].join('\n'));
    return 2;
  }
  const argumentsOfNode = [...process.execArgv, join(folder, program[0]), ...rest];
  const { status, signal } = spawnSync(process.execPath, argumentsOfNode, { stdio: 'inherit' });
  if (signal !== null) process.kill(process.pid, signal);
  return status ?? 1;
}
