/** Base models: logits, loss, gradients and greedy tokens as transformers computes them. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../../compiler/families/config-reader.ts';
import type { Model } from '../../../compiler/model/model.ts';
import type { Device } from '../../device/device.ts';
import { openWeights, readJson } from '../../files.ts';
import { endless, generate, makeDecoder } from '../../generate.ts';
import { argmax } from '../../sample.ts';
import { parameterNamed, programFor, readParameter, type Session } from '../../session.ts';
import { endIds } from '../../tokenizer/tokenizer.ts';
import { gradients, makeTrainer } from '../../train/trainer.ts';
import { loadBase } from '../../weights/base.ts';
import type { WeightSource } from '../../weights/source.ts';
import { maxDifference, relativeDifference, type Report } from '../compare.ts';
import { makeBatch, readOutput } from '../session.ts';
import { recipeWith } from '../subject.ts';
import { BOUND, MARGIN } from './bounds.ts';
import { baseOf, IGNORED, logitsOf, longestOf, modelOf, openOn, TASK, type Values } from './model.ts';

interface Inputs {
  readonly input_ids: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
  readonly prompts: readonly (readonly number[])[];
  readonly input_ids_short?: readonly (readonly number[])[];
}

interface Recorded {
  readonly greedy: readonly (readonly number[])[];
  readonly greedy_margin: readonly number[];
  readonly greedy_with_eos?: readonly (readonly number[])[];
}

export async function runBase(folder: string, report: Report, device: Device): Promise<void> {
  const file = join(folder, 'model/config.json');
  const config = (await readJson(file)) as Config;
  const older = join(folder, 'config_v4.json');
  // Both describe one network: what differs would be read wrong from one of them.
  if (existsSync(older))
    report.same('texts', baseOf((await readJson(older)) as Config, older), baseOf(config, file), older);
  const model = modelOf(config, file);
  const weights = await openWeights(join(folder, 'model'));
  const { values } = await loadBase(weights, model.base, model.parameters).finally(() => weights.close());
  const expected = await openWeights(join(folder, 'expected.safetensors'));
  try {
    await compare({ folder, report, device, model, values, expected });
  } finally {
    await expected.close();
  }
}

interface Run {
  readonly folder: string;
  readonly report: Report;
  readonly device: Device;
  readonly model: Model;
  readonly values: Values;
  readonly expected: WeightSource;
}

async function compare(run: Run): Promise<void> {
  const { folder, report, device, model, values, expected } = run;
  const inputs = (await readJson(join(folder, 'inputs.json'))) as Inputs;
  const recorded = (await readJson(join(folder, 'expected.json'))) as Recorded;
  const sizes = { batch: inputs.input_ids.length, tokens: inputs.input_ids[0]?.length ?? 0 };
  const longest = longestOf(inputs.prompts);
  const answer = longestOf(recorded.greedy);
  const session = await openOn(device, model, values, {
    recipe: recipeWith({ lr: 0, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 }, TASK),
    training: { batch: sizes.batch, tokens: { [TASK]: sizes.tokens } },
    forward: sizes,
    generation: { batch: 1, tokens: longest, context: longest + answer },
    taps: true,
  });
  try {
    const logits = maxDifference(await logitsOf(session, inputs.input_ids), await expected.read('logits'));
    report.add('logits', logits, BOUND.logits, 'logits');
    const batch = makeBatch(inputs.input_ids, inputs.labels.flat(), IGNORED);
    const loss = await gradients(makeTrainer(session), TASK, batch);
    report.add('loss', Math.abs(loss - ((await expected.read('loss'))[0] ?? NaN)), BOUND.loss, 'loss');
    await compareHidden(session, run);
    await compareGradients(session, run);
    await compareAnswers(session, inputs, recorded, run);
  } finally {
    session.executor.destroy();
  }
  if (inputs.input_ids_short && expected.tensors.has('logits_short'))
    await compareShort(inputs.input_ids_short, run);
}

/** The hidden states that the training program left: the embedding, what each layer gives, and the last of these normed. */
async function compareHidden(session: Session, { report, model, expected }: Run): Promise<void> {
  const last = model.base.layers;
  for (const output of programFor(session, { kind: 'train', task: TASK }).outputs) {
    const layer = /^hidden\.(\d+)$/.exec(output.name)?.[1];
    const after = layer === undefined ? { embed: 0, final_norm: last }[output.name] : Number(layer) + 1;
    const key = layer !== undefined && after === last ? 'last_layer_out' : `hidden_states.${after}`;
    if (after === undefined || !expected.tensors.has(key)) continue;
    const apart = maxDifference(await readOutput(session, output), await expected.read(key));
    report.add('outputs', apart, BOUND.logits, key);
  }
}

/** Shorter inputs, for which the angles of some rotary positions differ. */
async function compareShort(
  rows: readonly (readonly number[])[],
  { report, device, model, values, expected }: Run,
): Promise<void> {
  const session = await openOn(device, model, values, {
    forward: { batch: rows.length, tokens: rows[0]?.length ?? 0 },
  });
  try {
    const apart = maxDifference(await logitsOf(session, rows), await expected.read('logits_short'));
    report.add('logits', apart, BOUND.logits, 'logits_short');
  } finally {
    session.executor.destroy();
  }
}

/** `grad.NAME`, or `grad_rows_FROM_TO.NAME` of some rows. */
const GRADIENT = /^grad(?:_rows_(\d+)_(\d+))?\.(.+)$/;

/** Every gradient that was recorded; one that no parameter of ours has counts as wrong. */
async function compareGradients(session: Session, { report, model, expected }: Run): Promise<void> {
  for (const key of expected.tensors.keys()) {
    const [, from = '0', , name] = GRADIENT.exec(key) ?? [];
    if (name === undefined) continue;
    const whole = await expected.read(key);
    const ours = model.parameters.filter(({ source }) => source?.names.huggingface === name);
    if (ours.length === 0) report.add('gradients', NaN, BOUND.gradient, `${name}, which no parameter has`);
    for (const { name: own, shape, source } of ours) {
      const width = shape[1] ?? 1;
      const rows = source?.rows;
      const wanted = rows ? whole.subarray(rows.from * width, rows.to * width) : whole;
      const start = Number(from) * width;
      const found = await readParameter(session, parameterNamed(session, own), 'gradients');
      const apart = relativeDifference(found.subarray(start, start + wanted.length), wanted);
      report.add('gradients', apart, BOUND.gradient, own);
    }
  }
}

async function compareAnswers(
  session: Session,
  { prompts }: Inputs,
  recorded: Recorded,
  { folder, report, model }: Run,
): Promise<void> {
  // With `dynamic` positions the answer depends on how a cache is kept: transformers leaves old keys at an old base.
  if (model.base.rope.scaling?.kind === 'dynamic') return;
  const decoder = makeDecoder(session);
  const settings = join(folder, 'model/generation_config.json');
  const ends = new Set(existsSync(settings) ? endIds(await readJson(settings)) : []);
  for (const [i, prompt] of prompts.entries()) {
    // Two tokens that are nearly as likely may change places.
    if ((recorded.greedy_margin[i] ?? Infinity) < MARGIN) continue;
    const wanted = recorded.greedy[i] ?? [];
    const ask = async (stops: ReadonlySet<number>): Promise<number[] | undefined> =>
      (
        await generate(decoder, [prompt], {
          maxTokens: wanted.length,
          tokenizer: { ...endless, ends: stops },
          pick: argmax,
        })
      )[0];
    report.same('tokens', await ask(new Set()), wanted, `greedy ${i}`);
    const ended = recorded.greedy_with_eos?.[i];
    if (ended === undefined) continue;
    // The recorded answer includes the token that ended it, ours do not.
    const said = ends.has(ended.at(-1) ?? -1) ? ended.slice(0, -1) : ended;
    report.same('tokens', await ask(ends), said, `greedy_with_eos ${i}`);
  }
}
