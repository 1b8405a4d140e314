/** Reads command lines as JSON from standard input, runs them through the entry of `graft`, and prints what came of each. */
import { text } from 'node:stream/consumers';
import type { Outcome } from './processes.ts';

/** What is printed while `run` runs. */
async function capture(run: () => Promise<number>): Promise<Outcome> {
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

const lines = JSON.parse(await text(process.stdin)) as string[][];
// The entry runs a command line of its own when it is loaded.
process.argv = [...process.argv.slice(0, 2), 'help'];
let main: (argv: readonly string[]) => Promise<number> = () => Promise.resolve(3);
await capture(async () => {
  ({ main } = await import('../../runtime/cli/main.ts'));
  return 0;
});
const outcomes: Outcome[] = [];
for (const line of lines) outcomes.push(await capture(() => main(line)));
process.exitCode = 0;
process.stdout.write(JSON.stringify(outcomes));
