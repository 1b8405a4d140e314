/**
 * What the scripts of package.json go through: makes the checkout ready, then starts a program and ends as it ends.
 *
 *   node runtime/setup/start.mjs [--device] PROGRAM [ARGUMENTS]
 *
 * PROGRAM is a file of this project, or a command that a package of node_modules brings along. With `--device` there must be
 * a device first.
 */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { projectRoot } from './drivers.mjs';
import { prepare } from './prepare.mjs';

const words = process.argv.slice(2);
const device = words[0] === '--device';
const [program = '', ...rest] = device ? words.slice(1) : words;

function start() {
  const bin = join(projectRoot(), 'node_modules', '.bin');
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
  if (/\.(ts|mjs)$/.test(program)) {
    const loader = program.endsWith('.ts') ? ['--import', 'tsx'] : [];
    return spawn(process.execPath, [...loader, program, ...rest], { stdio: 'inherit', env });
  }
  return spawn(program, rest, { stdio: 'inherit', env, shell: process.platform === 'win32' });
}

try {
  await prepare({ device });
  const child = start();
  // Ctrl-C reaches the child as well, which decides how to end; other signals are sent to this process alone.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`graft setup: ${program} does not start: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exitCode = code;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
} catch (error) {
  console.error(`graft setup: ${error.message}`);
  process.exitCode = 1;
}
