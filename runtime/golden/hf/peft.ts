/** Adapters of PEFT: imported, they compute, train and answer as they did there. */
import { join } from 'node:path';
import type { Config } from '../../../compiler/families/config-reader.ts';
import { sitesOf } from '../../../compiler/families/sites.ts';
import { memoryHost } from '../../../compiler/host.ts';
import type { Model } from '../../../compiler/model/model.ts';
import type { Device } from '../../device/device.ts';
import { openFile, openWeights, readJson } from '../../files.ts';
import { openPeft } from '../../files/peft.ts';
import { endless, generate, makeDecoder } from '../../generate.ts';
import { importPeft } from '../../peft/import/import.ts';
import { specText } from '../../peft/import/spec.ts';
import { loadModel } from '../../project/spec.ts';
import { argmax } from '../../sample.ts';
import { parameterNamed, readParameter, type Session } from '../../session.ts';
import { evaluate, gradients, makeTrainer, trainStep } from '../../train/trainer.ts';
import { loadBase } from '../../weights/base.ts';
import { openSafetensors } from '../../weights/safetensors.ts';
import type { WeightSource } from '../../weights/source.ts';
import { maxDifference, relativeDifference, type Report } from '../compare.ts';
import { makeBatch } from '../session.ts';
import { recipeWith } from '../subject.ts';
import { BOUND, MARGIN, NOISE } from './bounds.ts';
import { IGNORED, logitsOf, longestOf, modelOf, openOn, type Values } from './model.ts';

/** case.json, as far as it is compared. */
interface Recorded {
  /** The folder of the base, from that of the case. */
  readonly base: string;
  readonly input_ids: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
  readonly optimizer: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
  };
  /** Before each step, and after the last. */
  readonly losses: readonly number[];
  readonly prompts: readonly (readonly number[])[];
  readonly greedy: readonly (readonly number[])[];
  readonly greedy_margin?: readonly number[];
}

export async function runPeft(folder: string, report: Report, device: Device): Promise<void> {
  const { base } = (await readJson(join(folder, 'case.json'))) as Recorded;
  const file = join(folder, base, 'config.json');
  const config = (await readJson(file)) as Config;
  const bare = modelOf(config, file);
  const start = await imported(join(folder, 'adapter_start'), config, bare);
  const end = await imported(join(folder, 'adapter'), config, bare);
  await compareAdapter({ folder, start, trained: end.values, report, device });
}

/** An adapter of a case under our names: the model with its parts, and their numbers. */
export interface Adapter {
  readonly model: Model;
  readonly values: Values;
}

/**
 * Compares logits, loss, gradients, five steps, the adapter they leave, and greedy tokens with those of a case.
 * @param trained the numbers of the adapter after the last step, as the case recorded them
 */
export async function compareAdapter({
  folder,
  start,
  trained,
  report,
  device,
}: {
  readonly folder: string;
  readonly start: Adapter;
  readonly trained: Values;
  readonly report: Report;
  readonly device: Device;
}): Promise<void> {
  const recorded = (await readJson(join(folder, 'case.json'))) as Recorded;
  // PEFT's AdamW decays whatever is trained.
  const parameters = start.model.parameters.map((p) =>
    start.values.has(p.name) ? { ...p, decay: true } : p,
  );
  const model = { ...start.model, parameters };
  const weights = await openWeights(join(folder, recorded.base));
  const frozen = await loadBase(weights, model.base, model.parameters).finally(() => weights.close());
  const expected = await openSafetensors(await openFile(join(folder, 'expected.safetensors')));
  const task = model.tasks[0]?.name ?? '';
  const sizes = { batch: recorded.input_ids.length, tokens: recorded.input_ids[0]?.length ?? 0 };
  const answer = longestOf(recorded.greedy);
  const { weight_decay: weightDecay, ...optimizer } = recorded.optimizer;
  const session = await openOn(device, model, new Map([...frozen.values, ...start.values]), {
    recipe: recipeWith({ lr: optimizer.lr, betas: optimizer.betas, eps: optimizer.eps, weightDecay }, task),
    training: { batch: sizes.batch, tokens: { [task]: sizes.tokens } },
    evaluation: { batch: sizes.batch, tokens: { [task]: sizes.tokens } },
    forward: sizes,
    generation: {
      batch: recorded.prompts.length,
      tokens: longestOf(recorded.prompts),
      context: longestOf(recorded.prompts) + answer,
    },
  });
  try {
    const slopes = await recordedValues(folder, model, expected, 'grad.');
    for (const name of slopes.keys())
      if (!start.values.has(name))
        report.add('gradients', NaN, BOUND.gradient, `${name}, which the adapter does not have`);
    await compare({ session, task, recorded, expected, start: start.values, slopes, trained, report });
  } finally {
    session.executor.destroy();
    await expected.close();
  }
}

/** A folder of PEFT as `graft import` reads it: the model with its parts, and their numbers. */
async function imported(folder: string, config: Config, { base }: Model): Promise<Adapter> {
  const { config: adapter, source } = await openPeft(folder);
  const parts = await importPeft(adapter, source, base, sitesOf(base)).finally(() => source.close());
  const declared = { name: 'golden', text: 'base golden from "model"' };
  const text = specText({ base: declared, from: folder, config: adapter, parts });
  const specs = memoryHost({ 'golden.adapter': text, 'model/config.json': JSON.stringify(config) });
  const model = loadModel({ specs, warn: () => undefined }, 'golden.adapter');
  return { model, values: valuesOf(parts) };
}

const valuesOf = (parts: Awaited<ReturnType<typeof importPeft>>): Values =>
  new Map(
    parts.flatMap(({ tensors }) =>
      tensors.map(({ name, values }) => [name, values as Float32Array] as const),
    ),
  );

/** Tensors `PREFIX + key` of a file, under our names: the keys are read as those of the adapter itself. */
async function recordedValues(
  folder: string,
  { base }: Model,
  file: WeightSource,
  prefix: string,
): Promise<Values> {
  const { config, source } = await openPeft(join(folder, 'adapter_start'));
  await source.close();
  const keys = [...file.tensors.keys()].filter((key) => key.startsWith(prefix));
  const own: WeightSource = {
    ...file,
    tensors: new Map(keys.map((key) => [key.slice(prefix.length), file.tensors.get(key)!])),
    read: (name, options) => file.read(prefix + name, options),
  };
  return valuesOf(await importPeft(config, own, base, sitesOf(base)));
}

interface Run {
  readonly session: Session;
  readonly task: string;
  readonly recorded: Recorded;
  readonly expected: WeightSource;
  /** The adapter before the first step. */
  readonly start: Values;
  /** Its gradients there, as recorded. */
  readonly slopes: Values;
  /** The adapter after the last step, as recorded. */
  readonly trained: Values;
  readonly report: Report;
}

async function compare(run: Run): Promise<void> {
  const { session, task, recorded, expected, start, slopes, trained, report } = run;
  const { input_ids: rows, labels, optimizer, losses, prompts } = recorded;
  const logits = async (key: string, bound: number): Promise<void> =>
    report.add('logits', maxDifference(await logitsOf(session, rows), await expected.read(key)), bound, key);
  await logits('logits.0', BOUND.logits);
  const trainer = makeTrainer(session);
  const batch = makeBatch(rows, labels.flat(), IGNORED);
  const [first = NaN, ...later] = losses;
  report.add('loss', Math.abs((await gradients(trainer, task, batch)) - first), BOUND.loss, 'loss');
  for (const name of start.keys()) {
    const own = await readParameter(session, parameterNamed(session, name), 'gradients');
    report.add('gradients', relativeDifference(own, slopes.get(name) ?? []), BOUND.gradient, name);
  }
  for (const [i, loss] of later.entries()) {
    await trainStep(trainer, task, [batch], optimizer.lr);
    const apart = Math.abs((await evaluate(trainer, task, batch)) - loss);
    report.add('step losses', apart, BOUND.stepLoss, `step ${i + 1}`);
  }
  await logits('logits.5', BOUND.trained);
  for (const [name, values] of trained) {
    const slope = slopes.get(name) ?? new Float32Array();
    const largest = slope.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const firm = [...values.keys()].filter((i) => Math.abs(slope[i] ?? 0) >= NOISE * largest);
    const own = await readParameter(session, parameterNamed(session, name));
    const pick = (from: Float32Array): number[] => firm.map((i) => from[i] ?? NaN);
    const apart = maxDifference(pick(own), pick(values)) / optimizer.lr;
    report.add('adapter', apart, BOUND.parameter, `${name}, in learning rates`);
  }
  const options = { maxTokens: longestOf(recorded.greedy), tokenizer: endless, pick: argmax };
  const answers = await generate(makeDecoder(session), prompts, options);
  for (const [i, wanted] of recorded.greedy.entries()) {
    if ((recorded.greedy_margin?.[i] ?? Infinity) < MARGIN) continue;
    report.same('tokens', answers[i]?.slice(0, wanted.length), wanted, `greedy ${i}`);
  }
}
