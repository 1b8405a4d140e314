/** Cases of two tasks that train disjoint groups in turn: captions with an image, instructions without. */
import type { Model } from '../../compiler/model/model.ts';
import { compile } from '../../compiler/compile.ts';
import type { Device } from '../device/device.ts';
import { type Decoder, endless, generate, makeDecoder, showImages } from '../generate.ts';
import { argmax } from '../sample.ts';
import { programFor, readParameter, type Session } from '../session.ts';
import { gradients, makeTrainer, type Trainer, trainStep } from '../train/trainer.ts';
import { type GoldenCase, requireFile, type Tensors } from './case.ts';
import { BOUNDS, relativeDifference, Report } from './compare.ts';
import { checkCache } from './decoding.ts';
import { compareGates, compareOutputs } from './outputs.ts';
import {
  compareGradients,
  compareParameters,
  imagesOf,
  type Inputs,
  inputsOf,
  open,
  restore,
} from './session.ts';
import { expressCase, goldenTask, oursOf, recipeOf, type Subject, valuesOf, withImages } from './subject.ts';

const TASKS = ['caption', 'instruct'] as const;
type TaskName = (typeof TASKS)[number];
/** Gradients of the caption loss for the other group: they flow, and must not be applied. */
const EXTRA = 'caption_extra';

interface Run {
  readonly model: Model;
  readonly golden: GoldenCase;
  readonly session: Session;
  readonly trainer: Trainer;
  readonly keys: Subject['keys'];
  readonly weights: Tensors;
  readonly inputs: Readonly<Record<TaskName, Inputs>>;
  readonly trains: Readonly<Record<TaskName, readonly string[]>>;
  readonly report: Report;
}

export async function runJoint(device: Device, golden: GoldenCase): Promise<Report> {
  const { config } = golden;
  const [weights, caption, instruct, extra] = [
    await requireFile(golden, 'weights'),
    await requireFile(golden, 'inputs_caption'),
    await requireFile(golden, 'inputs_instruct'),
    await golden.tensors('grads_extra'),
  ];
  const { model, keys } = expressCase(config, weights);
  const inputs = {
    caption: inputsOf(caption, config, model),
    instruct: inputsOf(instruct, config, model),
  };
  const trainsOf = (task: TaskName) => oursOf(model, keys, new Set(config.groups?.[task]));
  const trains = { caption: trainsOf('caption'), instruct: trainsOf('instruct') };
  const tasks = [
    goldenTask('caption', trains.caption, true),
    goldenTask('instruct', trains.instruct, false),
    goldenTask(EXTRA, trains.instruct, true),
  ];
  const lengthOf = (task: TaskName) => inputs[task].rows[0]?.length ?? 0;
  const tokens = {
    caption: lengthOf('caption'),
    instruct: lengthOf('instruct'),
    [EXTRA]: lengthOf('caption'),
  };
  const compiled = compile(withImages({ ...model, tasks }), {
    profile: device.profile,
    recipe: recipeOf(config),
    training: { batch: inputs.caption.rows.length, tokens },
    generation: {
      batch: inputs.caption.rows.length,
      tokens: Math.max(...Object.values(tokens)),
      context: config.max_seq_len,
      image: true,
    },
    taps: true,
  });
  const session = await open(device, compiled, keys, weights);
  const run: Run = {
    model,
    golden,
    session,
    trainer: makeTrainer(session),
    keys,
    weights,
    inputs,
    trains,
    report: new Report(),
  };
  for (const task of TASKS) await checkTask(run, task);
  if (extra) {
    await gradients(run.trainer, EXTRA, inputs.caption.batch);
    await compareGradients(session, keys, extra, run.report, 'caption.');
  }
  await checkSteps(run);
  restore(session, keys, weights);
  await checkDecoding(run, imagesOf(caption, config, model));
  session.executor.destroy();
  return run.report;
}

async function checkTask(
  { golden, model, session, trainer, keys, weights, inputs, trains, report }: Run,
  task: TaskName,
): Promise<void> {
  const expected = await requireFile(golden, `outputs_${task}`, ['loss', 'logits']);
  const loss = await gradients(trainer, task, inputs[task].batch);
  report.add('loss', Math.abs(loss - (expected.get('loss')?.values[0] ?? NaN)), BOUNDS.loss, `${task} loss`);
  await compareOutputs(session, programFor(session, { kind: 'train', task }), expected, report);
  compareGates(model, keys, weights, expected, report);
  const wanted = await golden.tensors(`grads_${task}`);
  if (wanted) await compareGradients(session, keys, wanted, report, '', new Set(trains[task]));
}

interface Steps {
  readonly task: readonly TaskName[];
  readonly loss_before_step: readonly number[];
  readonly loss_after_last: Readonly<Record<TaskName, number>>;
}

/** Steps in turn: the other group must stay as it was, its moments and step count too. */
async function checkSteps({ golden, session, trainer, keys, inputs, trains, report }: Run): Promise<void> {
  const steps = await golden.json<Steps>('steps');
  const { lr } = golden.config.optim;
  for (const [index, task] of (steps?.task ?? []).entries()) {
    const { loss } = await trainStep(trainer, task, [inputs[task].batch], lr);
    report.add(
      'step losses',
      Math.abs(loss - (steps?.loss_before_step[index] ?? NaN)),
      BOUNDS.stepLoss,
      `step ${index + 1}`,
    );
    const after2 = index === 1 ? await golden.tensors('steps_after2') : null;
    if (after2)
      await compareParameters(session, keys, [...trains.caption, ...trains.instruct], after2, lr, report);
  }
  const [expected, state] = [await golden.tensors('steps'), await golden.tensors('steps_state')];
  if (expected)
    await compareParameters(session, keys, [...trains.caption, ...trains.instruct], expected, lr, report);
  for (const task of TASKS) {
    const loss = await gradients(trainer, task, inputs[task].batch);
    report.add(
      'step losses',
      Math.abs(loss - (steps?.loss_after_last[task] ?? NaN)),
      BOUNDS.stepLoss,
      `${task} after the last step`,
    );
  }
  if (state) await compareMoments(session, keys, state, report);
}

async function compareMoments(
  session: Session,
  keys: Subject['keys'],
  state: Tensors,
  report: Report,
): Promise<void> {
  for (const p of session.manifest.parameters) {
    if (p.cell === null) continue;
    for (const [prefix, copy] of [
      ['m.', 'first'],
      ['v.', 'second'],
    ] as const) {
      const values = valuesOf(keys, state, p.name, prefix);
      if (values)
        report.add(
          'moments',
          relativeDifference(await readParameter(session, p, copy), values),
          BOUNDS.moments,
          `${prefix}${p.name}`,
        );
    }
  }
}

interface JointGeneration {
  readonly prompts: readonly (readonly number[])[];
  readonly max_gen_len: number;
  readonly with_image: readonly (readonly number[])[];
  readonly without_image: readonly (readonly number[])[];
  readonly eos_test: Readonly<
    Record<
      'with_image' | 'without_image',
      { readonly row: number; readonly eos_id: number; readonly generated: readonly number[] }
    >
  >;
}

async function checkDecoding(
  { golden, session, inputs, report }: Run,
  images: Float32Array | null,
): Promise<void> {
  const generation = await golden.json<JointGeneration>('generate');
  const shown = makeDecoder(session, { image: true });
  if (images) showImages(shown, images);
  const plain = makeDecoder(session);
  for (const [task, decoder] of [
    ['caption', shown],
    ['instruct', plain],
  ] as const) {
    const expected = await golden.tensors(`kvcache_${task}`);
    if (expected) await checkCache(decoder, inputs[task].rows, golden.config.kv_prefill, expected, report);
  }
  if (!generation) return;
  await checkTokens(shown, generation, 'with_image', report);
  await checkTokens(plain, generation, 'without_image', report);
}

async function checkTokens(
  decoder: Decoder,
  generation: JointGeneration,
  kind: 'with_image' | 'without_image',
  report: Report,
): Promise<void> {
  const run = (ends: readonly number[]) =>
    generate(decoder, generation.prompts, {
      maxTokens: generation.max_gen_len,
      tokenizer: { ...endless, ends: new Set(ends) },
      pick: argmax,
    });
  report.same('tokens', await run([]), generation[kind], kind);
  const stop = generation.eos_test[kind];
  // The stopped row alone is recorded; the rows of a batch do not see each other.
  report.same('tokens', (await run([stop.eos_id]))[stop.row], stop.generated, `eos_test ${kind}`);
}
