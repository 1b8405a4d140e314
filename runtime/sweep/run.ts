/** Runs the trials that have no result in the store yet, one after the other; other processes may do the same. */
import { type Device, DeviceError, openDevice } from '../device/device.ts';
import { InputError } from '../input-error.ts';
import type { StepMetrics } from '../train/run-store.ts';
import type { Horizon } from '../train/learning-rate.ts';
import { runEach } from './each.ts';
import type { Identity, Plan, PlannedTrial } from './plan.ts';
import { isSame, type TrialLine } from './results.ts';
import type { Claim, SweepStore } from './store.ts';
import { emptyTrialCache, runTrial, type TrialCache } from './trial.ts';

export interface RunOptions {
  readonly store: SweepStore;
  /** The trials to run; all others are left alone. */
  readonly wanted: readonly PlannedTrial[];
  /** Whether to run trials that failed before once more. */
  readonly retry: boolean;
  readonly watch: Watch;
  /** Default `openDevice`. Called before the first trial, and again after the device was lost. */
  readonly openAnew?: () => Promise<Device>;
}

export interface Watch {
  /** Called before a trial begins; `done` is the number of wanted trials that have ended. */
  onTrial(trial: PlannedTrial, done: number): void;
  onStep(metrics: StepMetrics, horizon: Horizon): void;
  onEnd(line: TrialLine): void;
  onWait(holder: string): void;
}

/** @throws InputError when the store has results of another sweep, with what differs */
export async function requireSameSweep(store: SweepStore, { trials }: Pick<Plan, 'trials'>): Promise<void> {
  const results = await store.results();
  for (const trial of trials) {
    const line = results.get(trial.key);
    if (line?.figures === undefined || isSame(line, trial)) continue;
    const changed =
      typeof trial.work === 'string'
        ? 'its spec has errors now'
        : describeChange(line.identity, trial.work.identity);
    throw new InputError(
      `${store.name} has results of another sweep: \`${trial.key}\` is there, but ${changed}`,
      'give another folder with --out, or undo the change',
    );
  }
}

const names: Readonly<Record<keyof Identity, string>> = {
  spec: 'the adapter',
  recipe: 'the recipe or its steps',
  data: 'the data',
  base: 'the base or an encoder',
};

function describeChange(old: Identity | null, now: Identity): string {
  const changed = (Object.keys(names) as (keyof Identity)[]).filter((key) => old?.[key] !== now[key]);
  return `with ${changed.length === 1 ? 'another version' : 'other versions'} of ${changed.map((key) => names[key]).join(' and ')}`;
}

/** Whether a trial has ended. A failed trial counts only if it began at `since` or later. */
const isOver = (line: TrialLine | undefined, trial: PlannedTrial, since: string): boolean =>
  line !== undefined && isSame(line, trial) && (line.figures !== undefined || line.started >= since);

/**
 * Runs until every wanted trial has ended, in this or another process. @throws InputError when the store cannot be
 * written any more
 */
export async function runSweep(plan: Plan, options: RunOptions): Promise<void> {
  const { store, wanted, retry, watch, openAnew = openDevice } = options;
  const place: Place = {
    plan,
    store,
    watch,
    cache: emptyTrialCache(),
    openAnew,
    device: null,
  };
  // A trial that fails from now on, in any process, is not retried again.
  const since = retry ? new Date().toISOString() : '';
  const left = async (): Promise<readonly PlannedTrial[]> => {
    const results = await store.results();
    return wanted.filter((trial) => !isOver(results.get(trial.key), trial, since));
  };
  try {
    await runEach({
      left,
      claim: store.claim,
      run: async (trial, held) => {
        watch.onTrial(trial, wanted.length - (await left()).length);
        await endTrial(place, trial, held);
      },
      onWait: (holders) => watch.onWait(holders),
    });
  } catch (error) {
    throw store.writeError(error) ?? error;
  } finally {
    place.device?.close();
  }
}

interface Place {
  readonly plan: Plan;
  readonly store: SweepStore;
  readonly watch: Watch;
  readonly cache: TrialCache;
  readonly openAnew: () => Promise<Device>;
  device: Device | null;
}

async function endTrial(place: Place, trial: PlannedTrial, held: Claim): Promise<void> {
  const [started, begun] = [new Date().toISOString(), performance.now()];
  const outcome = await tryTrial(place, trial);
  const line: TrialLine = {
    trial: trial.key,
    params: trial.params,
    seed: typeof trial.work === 'string' ? trial.seed : trial.work.recipe.seed,
    identity: typeof trial.work === 'string' ? null : trial.work.identity,
    started,
    seconds: Math.round((performance.now() - begun) / 100) / 10,
    device: place.device?.adapter.description ?? '',
    ...place.store.machine,
    ...outcome,
  };
  if (!held.isOwn()) return;
  await place.store.append(line);
  place.watch.onEnd(line);
}

async function tryTrial(place: Place, trial: PlannedTrial): Promise<Pick<TrialLine, 'figures' | 'failed'>> {
  const { plan, store, watch, cache } = place;
  if (typeof trial.work === 'string') return { failed: trial.work };
  // Without a device no trial can run, which is not a failure of this trial.
  if (place.device === null || place.device.isLost) place.device = await place.openAnew();
  try {
    const figures = await runTrial(place.device, cache, trial.work, {
      store: await store.runStore(trial.key),
      measure: plan.sweep.measure,
      onStep: (metrics, horizon) => watch.onStep(metrics, horizon),
    });
    return { figures };
  } catch (error) {
    if (store.writeError(error) !== null) throw error;
    return { failed: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof InputError || error instanceof DeviceError) return error.message;
  return `internal error: ${error.stack?.split('\n').slice(0, 3).join(' ') ?? error.message}`;
}
