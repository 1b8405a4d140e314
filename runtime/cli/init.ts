/** `graft init`: a first spec, from a few questions or flags. */
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { writeText } from '../files/write.ts';
import { InputError } from '../input-error.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { formatText } from './formatting.ts';
import { chooseBase, knownBases } from './init/bases.ts';
import { fusions, methods, problemOf, scaffold, tasks } from './init/scaffold.ts';

const listed = (table: Readonly<Record<string, unknown>>): string => Object.keys(table).join(', ');

export const command: Command = {
  name: 'init',
  summary: 'write a first spec, by asking a few questions',
  usage: `usage: graft init [--base BASE] [--method METHOD] [--fusion FUSION] [--tasks TASK,...] [--out FILE] [--yes] [--force]

  Asks what the flags leave open; on no terminal, or with --yes, it takes the value in brackets. The spec it writes is
  commented and checks without a complaint.

  --base BASE       ${knownBases.join(', ')}; FILE.adapter:NAME; a folder with a config.json or a pulled ORG/NAME [llama7b]
  --method METHOD   ${listed(methods)} [v2]
  --fusion FUSION   where an image enters: ${listed(fusions)} [none]
  --tasks TASK,...  ${listed(tasks)} [instruct, and caption with a fusion]
  --out FILE        where it is written; - is standard output [my.adapter]
  --yes             ask nothing
  --force           write over a file that is there`,
  async run(argv) {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      args: [...argv],
      options: { base: text, method: text, fusion: text, tasks: text, out: text, yes: flag, force: flag },
    });
    const ask = process.stdin.isTTY && !values.yes ? terminal() : null;
    try {
      const answers = await choose(values, ask?.question ?? null);
      const { out } = answers;
      if (out !== '-' && existsSync(out) && !values.force)
        throw new InputError(
          `${out} is there already`,
          'choose another --out, or write over it with --force',
        );
      const base = await chooseBase(answers.base, out);
      const spec = await formatText(scaffold({ ...answers, base }));
      if (out === '-') process.stdout.write(spec);
      else await write(out, spec);
      return EXIT.ok;
    } finally {
      ask?.close();
    }
  },
};

async function write(out: string, spec: string): Promise<void> {
  await writeText(out, spec);
  const shown = /\s/.test(out) ? JSON.stringify(out) : out;
  console.error(`wrote ${out}; now try:\n  graft show ${shown}\n  graft train ${shown} --out runs/first`);
}

/** Puts a question and gives the answer. */
export type Ask = (question: string) => Promise<string>;

/** Questions on the terminal. @throws UsageError when it is closed before an answer */
function terminal(): { readonly question: Ask; readonly close: () => void } {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<never>((_, reject) =>
    lines.once('close', () => reject(new UsageError('no answer; --yes takes the defaults'))),
  );
  // It is also closed in the end, when nobody waits any more.
  closed.catch(() => undefined);
  return { question: (text) => Promise.race([lines.question(text), closed]), close: () => lines.close() };
}

interface Flags {
  readonly base?: string | undefined;
  readonly method?: string | undefined;
  readonly fusion?: string | undefined;
  readonly tasks?: string | undefined;
  readonly out?: string | undefined;
}

interface Answers {
  readonly base: string;
  readonly method: string;
  readonly fusion: string;
  readonly tasks: readonly string[];
  readonly out: string;
}

/** The flags, and what is asked for the others; without `ask` their defaults. @throws UsageError when they do not fit */
export async function choose(flags: Flags, ask: Ask | null): Promise<Answers> {
  const get = async (given: string | undefined, question: string, initial: string): Promise<string> =>
    given ?? ((ask === null ? '' : await ask(`${question} [${initial}]: `)).trim() || initial);
  const base = await get(
    flags.base,
    `base: ${knownBases.join(', ')}, FILE.adapter:NAME or a model's folder`,
    'llama7b',
  );
  const method = await get(flags.method, `method: ${listed(methods)}`, 'v2');
  const sees = flags.tasks?.includes('caption') === true;
  const fusion = await get(
    flags.fusion,
    `where an image enters: ${listed(fusions)}`,
    sees ? 'early' : 'none',
  );
  const usual = fusion === 'none' ? 'instruct' : 'instruct,caption';
  const list = await get(flags.tasks, `tasks, with commas: ${listed(tasks)}`, usual);
  const out = await get(flags.out, 'file to write', 'my.adapter');
  const chosen = [...new Set(list.split(/[\s,]+/).filter((task) => task !== ''))];
  const answers = { base, method, fusion, tasks: chosen, out };
  const problem = problemOf(answers);
  if (problem !== null) throw new UsageError(problem);
  return answers;
}
