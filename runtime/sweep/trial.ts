/** One trial: train by the recipe, then measure. */
import type { Compiled } from '../../compiler/compile.ts';
import { countFlops } from '../../compiler/ops/flops.ts';
import { kindOfPart } from '../../compiler/kinds/index.ts';
import { countModel } from '../../compiler/describe/counts.ts';
import type { Model } from '../../compiler/model/model.ts';
import type { Measure } from '../../compiler/model/sweep.ts';
import type { ImageInput } from '../../compiler/package/package.ts';
import type { EncodedPictures } from '../project/encoded-images.ts';
import type { ImageStore } from '../data/image-store.ts';
import type { Device } from '../device/device.ts';
import type { Session } from '../session.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { RunStore, StepMetrics } from '../train/run-store.ts';
import { runTraining } from '../train/run.ts';
import type { Horizon } from '../train/learning-rate.ts';
import { versions } from '../versions.ts';
import { scoreTests, type TestScore, trainedValues } from '../project/held-out.ts';
import { weightsFile } from '../project/weights-file.ts';
import { encodeStore, encodeTasks } from '../project/encoding.ts';
import { type DataCache, emptyCache } from '../project/task-data.ts';
import { loadRecipeData } from '../project/recipe-data.ts';
import { runNotes } from '../project/run-notes.ts';
import { tokenizerOf } from '../project/tokenizer.ts';
import { openTrainable } from '../project/trainable.ts';
import type { Project } from '../project/spec.ts';
import type { Prepared } from './plan.ts';
import type { Figures } from './results.ts';

/** Data, tokenizers, an encoder's tokens and compiled kernels, which the trials of one process share. */
export interface TrialCache {
  readonly data: DataCache;
  /** Held-out pictures stay apart, so that they are not encoded for training. */
  readonly tests: DataCache;
  readonly tokenizers: Map<string, Promise<Tokenizer>>;
  readonly encoded: Map<string, EncodedPictures>;
  /** Warnings about recipes that were shown already: each is shown once, for however many trials. */
  readonly said: Set<string>;
  /** Closed sessions of the last trials: pipelines are not compiled again while these sessions hold them. */
  readonly closed: Session[];
}

export const emptyTrialCache = (): TrialCache => ({
  data: emptyCache(),
  tests: emptyCache(),
  tokenizers: new Map(),
  encoded: new Map(),
  said: new Set(),
  closed: [],
});

/** Sessions whose pipelines are kept. */
const KEPT = 4;

export interface TrialOptions {
  /** The store for the trial's metrics. */
  readonly store: RunStore;
  readonly measure: readonly Measure[];
  readonly onStep?: (metrics: StepMetrics, horizon: Horizon) => void;
}

/** Runs a trial to its end. @throws whatever goes wrong on the way */
export async function runTrial(
  device: Device,
  cache: TrialCache,
  { project, recipe }: Prepared,
  { store, measure, onStep }: TrialOptions,
): Promise<Figures> {
  const { model } = project;
  const tokenizer = await tokenizerFor(cache, project);
  const data = await loadRecipeData(project, recipe, tokenizer, cache.data);
  for (const warning of runNotes(recipe, data).warnings) {
    if (!cache.said.has(warning)) project.host.warn(warning);
    cache.said.add(warning);
  }
  const opened = await openTrainable(device, project, recipe, data, { encoding: 'auto' });
  const { compiled, encoder, session, trainer, origin } = opened;
  const steps: StepMetrics[] = [];
  let trained: ReadonlyMap<string, Float32Array>;
  let time: number;
  try {
    const encode = encodeOnce(cache, project, recipe.seed);
    const batches = encoder ? await encodeTasks(session, encoder, data, encode) : data.batches;
    const began = performance.now();
    await runTraining(trainer, {
      recipe,
      data: batches,
      store,
      identity: { spec: project.spec.hash, base: origin.base, versions },
      checkpointEvery: null,
      onStep: (metrics, horizon) => {
        steps.push(metrics);
        onStep?.(metrics, horizon);
      },
    });
    time = (performance.now() - began) / 1000;
    trained = await trainedValues(session);
  } finally {
    session.executor.destroy();
    keep(cache, session);
  }
  const tests = await scoreTests(device, project, tokenizer, {
    initial: trained,
    recipe,
    accuracy: measure.includes('accuracy'),
    cache: cache.tests,
    onClosed: (closed) => keep(cache, closed),
  });
  return figuresOf(model, compiled, steps, trained, tests, time);
}

function keep({ closed }: TrialCache, session: Session): void {
  closed.push(session);
  if (closed.length > KEPT) closed.shift();
}

function tokenizerFor({ tokenizers }: TrialCache, project: Project): Promise<Tokenizer> {
  const { base } = project.model;
  const key = JSON.stringify([base.tokenizer, base.weights, base.vocab]);
  const tokenizer = tokenizers.get(key) ?? tokenizerOf(project);
  tokenizers.set(key, tokenizer);
  return tokenizer;
}

/** Encodes pictures, or takes the tokens of an earlier trial whose encoder had the same parameters. */
const encodeOnce =
  ({ encoded }: TrialCache, { host, model }: Project, seed: number) =>
  async (session: Session, input: ImageInput, store: ImageStore): Promise<EncodedPictures> => {
    const part = model.parts.find(({ name }) => name === input.part);
    const file = part ? weightsFile(host.specs, part) : null;
    const origin = file ?? `${input.part} ${seed}`;
    const key = JSON.stringify([part?.fields, origin, input, store.count]);
    const known = encoded.get(key) ?? (await encodeStore(host.warn)(session, input, store));
    encoded.set(key, known);
    return known;
  };

function figuresOf(
  model: Model,
  { graphs, manifest }: Compiled,
  steps: readonly StepMetrics[],
  trained: ReadonlyMap<string, Float32Array>,
  tests: readonly TestScore[],
  time: number,
): Figures {
  const tasks = [...new Set(steps.map(({ task }) => task))];
  const byTask = <T>(of: (own: readonly StepMetrics[]) => T): Record<string, T> =>
    Object.fromEntries(tasks.map((name) => [name, of(steps.filter(({ task }) => task === name))]));
  const training = byTask((own) =>
    mean(own.slice(-Math.max(1, Math.floor(own.length / 10))).map(({ loss }) => loss)),
  );
  const right = tests.flatMap(({ accuracy }) => (accuracy === null ? [] : [accuracy]));
  return {
    loss: mean(tests.length > 0 ? tests.map(({ loss }) => loss) : Object.values(training)),
    lossOf: tests.length > 0 ? 'test' : 'training',
    accuracy: right.length === 0 ? null : mean(right),
    tests,
    training,
    parameters: countModel(model).trained,
    flops: Object.fromEntries(
      graphs.flatMap((graph) =>
        graph.purpose.kind === 'train' ? [[graph.purpose.task, countFlops(graph)]] : [],
      ),
    ),
    memory: Object.values(manifest.buffers).reduce((sum, bytes) => sum + bytes, 0),
    time: Math.round(time * 100) / 100,
    steps: steps.length,
    gates: gatesOf(model, trained),
    curve: byTask(curveOf),
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The most points of a curve. */
const POINTS = 60;

/** A run's losses as a few points: each is the mean over the steps since the previous point. */
function curveOf(steps: readonly StepMetrics[]): [number, number][] {
  const each = Math.ceil(steps.length / POINTS);
  const points: [number, number][] = [];
  for (let from = 0; from < steps.length; from += each) {
    const some = steps.slice(from, from + each);
    points.push([(some.at(-1)?.step ?? 0) + 1, Number(mean(some.map(({ loss }) => loss)).toFixed(4))]);
  }
  return points;
}

/** How far each part's trained gates are open: the mean of |tanh g|, or of |g| where a prompt's gate is raw. */
const gatesOf = ({ parts }: Model, trained: ReadonlyMap<string, Float32Array>): Record<string, number> =>
  Object.fromEntries(
    parts.flatMap((part) => {
      const gates = kindOfPart(part).gates?.(part);
      const values = gates?.parameters.flatMap((name) => [...(trained.get(name) ?? [])].map(gates.opening));
      return values === undefined || values.length === 0 ? [] : [[part.name, mean(values)]];
    }),
  );
