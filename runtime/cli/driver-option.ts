/** `--driver NAME`, which every command takes: it becomes GRAFT_DRIVER, as children and the loader read that. */
import { DRIVERS } from '../setup/drivers.mjs';
import { UsageError } from './command.ts';

/** Takes `--driver NAME` or `--driver=NAME` out of the arguments and puts it into the environment. */
export function parseDriverOption(argv: readonly string[]): string[] {
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    if (argument === '--') return [...rest, ...argv.slice(index)];
    if (argument === '--driver') useDriver(argv[(index += 1)]);
    else if (argument.startsWith('--driver=')) useDriver(argument.slice('--driver='.length));
    else rest.push(argument);
  }
  return rest;
}

function useDriver(name: string | undefined): void {
  const known: readonly string[] = DRIVERS;
  if (name === undefined || !known.includes(name))
    throw new UsageError(
      `--driver needs one of ${DRIVERS.join(', ')}${name === undefined ? '' : `, not '${name}'`}`,
    );
  process.env.GRAFT_DRIVER = name;
}
