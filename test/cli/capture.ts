/** Command lines in this very process: what they print, and how they end. */
import { type Command, EXIT, UsageError } from '../../runtime/cli/command.ts';
import { InputError } from '../../runtime/input-error.ts';
import type { Outcome } from './processes.ts';

/** What is printed while `run` runs. */
export async function capture(run: () => Promise<number>): Promise<Outcome> {
  const [out, err]: [string[], string[]] = [[], []];
  const streams = [process.stdout, process.stderr] as const;
  const written = streams.map((stream) => stream.write.bind(stream));
  streams.forEach(
    (stream, i) =>
      (stream.write = ((chunk: string | Uint8Array) => (
        [out, err][i]?.push(String(chunk)),
        true
      )) as typeof stream.write),
  );
  try {
    return { code: await run(), out: out.join(''), err: err.join('') };
  } finally {
    streams.forEach((stream, i) => (stream.write = written[i] as typeof stream.write));
  }
}

/** Runs a command as the entry of `graft` does; what is no mistake of the user is thrown. */
export const runCommand = (command: Command, argv: readonly string[]): Promise<Outcome> =>
  capture(async () => {
    try {
      return await command.run(argv);
    } catch (error) {
      if (!(error instanceof InputError || error instanceof UsageError)) throw error;
      process.stderr.write(`graft: ${error.message}\n`);
      return error instanceof UsageError ? EXIT.usage : EXIT.failed;
    }
  });
