/** The `graft` command line. Each command is a file beside this one, loaded when it is called. */
import { nearest } from '../../grammar/suggest.ts';
import { parseDriverOption } from './driver-option.ts';
import { EXIT, UsageError, type Command } from './command.ts';
import { VERSION } from '../versions.ts';

interface Entry {
  readonly summary: string;
  /** Loads the command's file: spelled out for each, so that the build sees which files there are. */
  load(): Promise<{ readonly command: Command }>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  check: { summary: 'check a spec and report its mistakes', load: () => import('./check.ts') },
  fmt: { summary: 'format specs', load: () => import('./fmt.ts') },
  explain: { summary: 'explain a diagnostic code or a kind of part', load: () => import('./explain.ts') },
  init: { summary: 'write a first spec, by asking a few questions', load: () => import('./init.ts') },
  show: { summary: 'show what a spec inserts, trains and costs', load: () => import('./show.ts') },
  diff: { summary: 'say what changes from one spec to another', load: () => import('./diff.ts') },
  build: { summary: 'compile a spec into a package of kernels', load: () => import('./build.ts') },
  train: { summary: 'train the parts of a spec', load: () => import('./train.ts') },
  sweep: {
    summary: 'train every combination of a sweep and report on them',
    load: () => import('./sweep.ts'),
  },
  pull: {
    summary: 'bring a model from the Hugging Face hub into the cache',
    load: () => import('./pull.ts'),
  },
  import: {
    summary: 'make a spec and an adapter file of an adapter that PEFT saved',
    load: () => import('./import.ts'),
  },
  export: {
    summary: 'write trained parts as PEFT or LLaMA-Adapter keeps them',
    load: () => import('./export.ts'),
  },
  merge: { summary: 'fold trained parts into the base where they can be', load: () => import('./merge.ts') },
  generate: { summary: 'generate text with a base and its parts', load: () => import('./generate.ts') },
  chat: { summary: 'talk with a base and its parts, turn by turn', load: () => import('./chat.ts') },
  golden: { summary: 'compare with the recorded reference results', load: () => import('./golden.ts') },
  bench: { summary: 'measure speed on this device', load: () => import('./bench.ts') },
  lsp: {
    summary: 'serve editors: diagnostics, hovers, completion, renaming',
    load: () => import('./lsp.ts'),
  },
  doctor: {
    summary: 'say which device is used and why, or what to install',
    load: () => import('./doctor.ts'),
  },
};

const GENERAL_USAGE = [
  'usage: graft COMMAND [ARGUMENTS]',
  '',
  ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`),
  '',
  '  --driver NAME   use this Vulkan driver: hardware, system, lavapipe, swiftshader or none',
  '  --help          help, also after a command',
  '  --version       the version of graft',
].join('\n');

/** Errors whose message is meant for the user, as it is. Told by name: their modules need not be loaded for it. */
const FOR_USERS = new Set(['InputError', 'DeviceError', 'SetupError']);

function report(error: unknown, command: Command | null): number {
  if (error instanceof UsageError || isParseArgsError(error)) {
    const help = command === null ? 'graft --help' : `graft ${command.name} --help`;
    console.error(
      `graft: ${wordsOf(error, command?.usage ?? GENERAL_USAGE)} (\`${help}\` shows what there is)`,
    );
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

/** What is wrong with a command line, on one line. Node's parser says more than that of an option it does not know. */
function wordsOf({ message }: Error, usage: string): string {
  const [, unknown] = /^Unknown option '(-[^']*)'/.exec(message) ?? [];
  if (unknown === undefined) return message.trim().replaceAll(/\s*\n\s*/g, ' ');
  const near = nearest(unknown, usage.match(/--[a-z][a-z-]*/g) ?? []);
  return `there is no option ${unknown}${near === undefined ? '' : `; did you mean ${near}?`}`;
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
    if (name === '--version' || name === '-v' || name === 'version') {
      console.log(`graft ${VERSION}`);
      return EXIT.ok;
    }
    const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (entry === undefined) {
      const near = nearest(name, Object.keys(COMMANDS));
      throw new UsageError(`there is no command '${name}'${near ? `; did you mean '${near}'?` : ''}`);
    }
    command = (await entry.load()).command;
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
