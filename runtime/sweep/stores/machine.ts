/** Facts about the machine, the device and the versions that results are made with. */
import { execFileSync } from 'node:child_process';
import { arch, cpus, hostname, platform, totalmem } from 'node:os';
import { versions } from '../../versions.ts';
import type { Machine } from '../results.ts';

/** This machine and this checkout. */
export function thisMachine(): Machine {
  const all = cpus();
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  return {
    machine: [`${all.length} x ${all[0]?.model.trim() ?? 'unknown'}`, memory, `${platform()} ${arch()}`].join(
      ', ',
    ),
    host: hostname(),
    commit: commit(),
    versions: { ...versions, node: process.versions.node },
  };
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`;
  } catch {
    return '';
  }
}
