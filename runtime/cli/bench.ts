/** `graft bench`: how fast this device runs our kernels, and how fast it runs those of others, in turns and on the same numbers. */
import { parseArgs } from 'node:util';
import { OPERATIONS } from '../bench/ops.ts';
import { allAgree, jsonOf, tableOf } from '../bench/rows.ts';
import { runBench } from '../bench/run.ts';
import { EXIT, UsageError, type Command } from './command.ts';

const FEWEST_ROUNDS = 7;

const PEERS_HINT =
  'To compare with jax-js and tfjs on this device: npm install @jax-js/jax @tensorflow/tfjs @tensorflow/tfjs-backend-webgpu\n' +
  'in a folder of its own, then: graft bench --peers FOLDER';

export const command: Command = {
  name: 'bench',
  summary: 'measure speed on this device',
  usage: `usage: graft bench [--peers DIR] [--json] [--op TEXT]... [--rounds N]
                   [--same-wait] [--cold] [--driver NAME]

  --peers DIR   compare with jax-js and tfjs, installed in DIR (packages @jax-js/jax, @tensorflow/tfjs and
                @tensorflow/tfjs-backend-webgpu)
  --json        print an array of { op, peer, ours_ms, peer_ms, ratio, agrees }
  --op TEXT     only operations whose name contains TEXT; may be repeated
  --rounds N    samples of each side, at least ${FEWEST_ROUNDS} (default 9)
  --same-wait   let the peers' waits sleep as ours do, instead of polling the device with one core
  --cold        take first calls with an empty cache of compiled shaders (minutes with peers)`,
  async run(argv) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        peers: { type: 'string' },
        json: { type: 'boolean', default: false },
        op: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string', default: '9' },
        'same-wait': { type: 'boolean', default: false },
        cold: { type: 'boolean', default: false },
      },
    });
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < FEWEST_ROUNDS)
      throw new UsageError(`--rounds needs a whole number, at least ${FEWEST_ROUNDS}`);
    const operations = OPERATIONS.filter(
      ({ name }) => values.op.length === 0 || values.op.some((text) => name.includes(text)),
    );
    if (operations.length === 0)
      throw new UsageError(
        `no operation is called so; there are: ${OPERATIONS.map(({ name }) => name).join(', ')}`,
      );
    const peers = values.peers ?? null;
    const sameWait = values['same-wait'];
    const log = (text: string): void => console.error(`graft bench: ${text}`);
    const lines = await runBench({ peers, operations, rounds, sameWait, cold: values.cold, log });
    console.log(values.json ? jsonOf(lines) : tableOf(lines));
    if (peers === null) console.error(`\n${PEERS_HINT}`);
    return allAgree(lines) ? EXIT.ok : EXIT.failed;
  },
};
