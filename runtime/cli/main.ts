#!/usr/bin/env node
/** The `graft` command. Each command is a file beside this one, loaded when it is called. */
import { nearest } from '../../grammar/suggest.ts';
import { parseDriverOption } from './driver-option.ts';
import { EXIT, UsageError, type Command } from './command.ts';

/** The commands and their summaries; `graft NAME` loads `NAME.ts`. */
const COMMANDS: Readonly<Record<string, string>> = {
  check: 'check a spec and report its mistakes',
  fmt: 'format specs',
  explain: 'explain a diagnostic code or a kind of part',
  init: 'write a first spec, by asking a few questions',
  show: 'show what a spec inserts, trains and costs',
  diff: 'say what changes from one spec to another',
  build: 'compile a spec into a package of kernels',
  train: 'train the parts of a spec',
  sweep: 'train every combination of a sweep and report on them',
  merge: 'fold trained parts into the base where they can be',
  generate: 'generate text with a base and its parts',
  golden: 'compare with the recorded reference results',
  bench: 'measure speed on this device',
  lsp: 'serve editors: diagnostics, hovers, completion, renaming',
  doctor: 'say which device is used and why, or what to install',
};

const GENERAL_USAGE = [
  'usage: graft COMMAND [ARGUMENTS]',
  '',
  ...Object.entries(COMMANDS).map(([name, summary]) => `  ${name.padEnd(9)} ${summary}`),
  '',
  '  --driver NAME   use this Vulkan driver: hardware, system, lavapipe, swiftshader or none',
  '  --help          help, also after a command',
].join('\n');

function isCommand(value: unknown): value is Command {
  return typeof value === 'object' && value !== null && 'run' in value && typeof value.run === 'function';
}

/** A command file exports `command`, a default, or the fields themselves. */
async function loadCommand(name: string): Promise<Command> {
  const module = (await import(`./${name}.ts`)) as { readonly command?: unknown; readonly default?: unknown };
  for (const candidate of [module.command, module.default, module])
    if (isCommand(candidate)) return candidate;
  throw new Error(`runtime/cli/${name}.ts exports no command`);
}

/** Errors whose message is meant for the user, as it is. Told by name: their modules need not be loaded for it. */
const FOR_USERS = new Set(['InputError', 'DeviceError', 'SetupError']);

function report(error: unknown, command: Command | null): number {
  if (error instanceof UsageError || isParseArgsError(error)) {
    console.error(`graft: ${error.message}\n\n${command?.usage ?? GENERAL_USAGE}`);
    return EXIT.usage;
  }
  if (error instanceof Error && FOR_USERS.has(error.name)) {
    console.error(`graft: ${error.message}`);
    return EXIT.failed;
  }
  console.error(error instanceof Error ? error.stack : String(error));
  console.error(
    'graft: this is a bug of graft. Please report it, with the text above and the output of graft doctor.',
  );
  return EXIT.internal;
}

/** What `util.parseArgs` throws at unknown options. */
function isParseArgsError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

/** Runs one command line and gives its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let command: Command | null = null;
  try {
    const [name, ...rest] = parseDriverOption(argv);
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      console.log(GENERAL_USAGE);
      return name === undefined ? EXIT.usage : EXIT.ok;
    }
    if (!Object.hasOwn(COMMANDS, name)) {
      const near = nearest(name, Object.keys(COMMANDS));
      throw new UsageError(`there is no command '${name}'${near ? `; did you mean '${near}'?` : ''}`);
    }
    command = await loadCommand(name);
    if (rest.includes('--help') || rest.includes('-h')) {
      console.log(`${command.summary}\n\n${command.usage}`);
      return EXIT.ok;
    }
    return await command.run(rest);
  } catch (error) {
    return report(error, command);
  }
}

/** A reader that closes the pipe early, such as `head`, is no error of ours. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

process.exitCode = await main(process.argv.slice(2));
