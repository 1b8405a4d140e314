/** Reads command lines as JSON from standard input, runs them through the entry of `graft`, and prints what came of each. */
import { text } from 'node:stream/consumers';
import { capture } from './capture.ts';
import type { Outcome } from './processes.ts';

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
