/**
 * `npm run base -- stored`: what storing the base's frozen matrices in fewer bits costs and brings. Held-out text is the windows
 * that the base is judged by (evaluate.ts); V2 stands on the base untrained, so what is scored is the base.
 */
import { readFileSync } from 'node:fs';
import { compile } from '../../compiler/compile.ts';
import type { Model } from '../../compiler/model/model.ts';
import { storages } from '../../compiler/storage/index.ts';
import { type Device, openDevice } from '../../runtime/device/device.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { openCompiled } from '../../runtime/project/session.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import { startOf } from '../../runtime/project/start.ts';
import { lossOfRows } from '../../runtime/score.ts';
import { gradients, makeTrainer, type Trainer } from '../../runtime/train/trainer.ts';
import { table, windows } from './evaluate.ts';
import { here } from './here.ts';

const [BATCH, TOKENS, WINDOWS, ROUNDS] = [16, 128, 160, 3];
const TASK = 'instruct';

const bytes = readFileSync(here('../../.cache/base/text.heldout.bin'));
const heldout = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
const rows = windows(heldout, TOKENS, WINDOWS);
const repeated = {
  tokens: Uint32Array.from(rows.slice(0, BATCH).flatMap((row) => Array.from(row.tokens))),
  labels: Uint32Array.from(rows.slice(1, BATCH + 1).flatMap((row) => Array.from(row.tokens))),
  labelled: BATCH * TOKENS,
};

async function open(device: Device, model: Model) {
  const sizes = { batch: BATCH, tokens: { [TASK]: TOKENS } };
  const compiled = compile(model, { profile: device.profile, training: sizes, evaluation: sizes });
  const { session } = await openCompiled(device, compiled, await startOf({ host: nodeHost, model }, 0));
  return { trainer: makeTrainer(session), weights: compiled.manifest.buffers.weights ?? 0 };
}

/** Milliseconds of one forward and backward pass. */
async function timeOf(trainer: Trainer): Promise<number> {
  const from = performance.now();
  await gradients(trainer, TASK, repeated);
  return performance.now() - from;
}

const device = await openDevice();
const model = loadModel(nodeHost, here('instruct.adapter'));
const opened = [];
for (const store of storages) {
  const { trainer, weights } = await open(device, { ...model, base: { ...model.base, store } });
  await timeOf(trainer);
  opened.push({ store, trainer, weights, loss: await lossOfRows(trainer, TASK, rows), best: Infinity });
}
// In turns, so that what else the machine does meets all formats alike.
for (let round = 0; round < ROUNDS; round++)
  for (const one of opened) one.best = Math.min(one.best, await timeOf(one.trainer));

const [first] = opened;
if (!first) throw new Error('there are no formats');
const header = [
  'store',
  'weights, MiB',
  'held-out loss, nats',
  'more than f32',
  'perplexity',
  'time of a step',
];
const figures = opened.map(({ store, weights, loss, best }) => [
  store,
  (weights / 2 ** 20).toFixed(2),
  loss.toFixed(5),
  (loss - first.loss).toFixed(5),
  Math.exp(loss).toFixed(3),
  (best / first.best).toFixed(2),
]);
console.log(
  `${WINDOWS} windows of ${TOKENS} tokens; a step: forward and backward, ${BATCH} windows, best of ${ROUNDS}\n`,
);
console.log(table(header, figures));
process.exit(0);
