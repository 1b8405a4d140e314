/** Runs what a folder does not have yet, one trial after the other; other processes may do the same. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Device, DeviceError, openDevice } from '../device/device.ts';
import { InputError } from '../input-error.ts';
import type { StepMetrics } from '../train/run-store.ts';
import type { Horizon } from '../train/schedule.ts';
import { type Claim, claim } from './claims.ts';
import { diskError } from './files.ts';
import { runEach } from './ledger.ts';
import { type Machine, thisMachine } from './machine.ts';
import type { Identity, Plan, PlannedTrial } from './plan.ts';
import { appendResult, isSame, readResults, type TrialLine } from './results.ts';
import { emptyTrialCache, runTrial, type TrialCache } from './trial.ts';

export interface RunOptions {
  readonly folder: string;
  /** Which trials; the others are left alone. */
  readonly wanted: readonly PlannedTrial[];
  /** Run what failed before once more. */
  readonly retry: boolean;
  readonly watch: Watch;
  /** Default `openDevice`. Called before the first trial, and again after the device was lost. */
  readonly openAnew?: () => Promise<Device>;
}

export interface Watch {
  /** `done` of the wanted trials ended before this one begins. */
  onTrial(trial: PlannedTrial, done: number): void;
  onStep(metrics: StepMetrics, horizon: Horizon): void;
  onEnd(line: TrialLine): void;
  onWait(holder: string): void;
}

/**
 * Makes the folder and looks at what is in it.
 * @throws InputError when it cannot be written, or when it has results of another spec
 */
export function openFolder(folder: string, { trials }: Pick<Plan, 'trials'>): void {
  try {
    mkdirSync(join(folder, 'trials'), { recursive: true });
    const probe = claim(folder, 'can this folder be written?');
    if (typeof probe !== 'string') probe.release();
  } catch (error) {
    throw diskError(error, folder) ?? error;
  }
  const results = readResults(folder);
  for (const trial of trials) {
    const line = results.get(trial.key);
    if (line?.figures === undefined || isSame(line, trial)) continue;
    const changed =
      typeof trial.work === 'string'
        ? 'its spec has errors now'
        : describeChange(line.identity, trial.work.identity);
    throw new InputError(
      `${folder} has results of another sweep: \`${trial.key}\` is there, but ${changed}`,
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

/** Whether a trial has ended; one that failed, only if it was begun at `since` or later. */
const isOver = (line: TrialLine | undefined, trial: PlannedTrial, since: string): boolean =>
  line !== undefined && isSame(line, trial) && (line.figures !== undefined || line.started >= since);

/** Runs until every wanted trial has ended, here or elsewhere. @throws InputError when the disk takes no more */
export async function runSweep(plan: Plan, options: RunOptions): Promise<void> {
  const { folder, wanted, retry, watch, openAnew = openDevice } = options;
  const place: Place = {
    plan,
    folder,
    watch,
    cache: emptyTrialCache(),
    machine: thisMachine(),
    openAnew,
    device: null,
  };
  // What fails from now on has had its second chance, in whichever process.
  const since = retry ? new Date().toISOString() : '';
  const left = (): readonly PlannedTrial[] => {
    const results = readResults(folder);
    return wanted.filter((trial) => !isOver(results.get(trial.key), trial, since));
  };
  try {
    await runEach(folder, {
      left,
      run: async (trial, held) => {
        watch.onTrial(trial, wanted.length - left().length);
        await endTrial(place, trial, held);
      },
      onWait: (holders) => watch.onWait(holders),
    });
  } catch (error) {
    throw diskError(error, folder) ?? error;
  } finally {
    place.device?.close();
  }
}

interface Place {
  readonly plan: Plan;
  readonly folder: string;
  readonly watch: Watch;
  readonly cache: TrialCache;
  readonly machine: Machine;
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
    ...place.machine,
    ...outcome,
  };
  if (!held.isOwn()) return;
  appendResult(place.folder, line);
  place.watch.onEnd(line);
}

async function tryTrial(place: Place, trial: PlannedTrial): Promise<Pick<TrialLine, 'figures' | 'failed'>> {
  const { plan, folder, watch, cache } = place;
  if (typeof trial.work === 'string') return { failed: trial.work };
  // Without a device no trial can be run: that is nothing to record.
  if (place.device === null || place.device.isLost) place.device = await place.openAnew();
  try {
    const figures = await runTrial(place.device, cache, trial.work, {
      folder: join(folder, 'trials', folderName(trial)),
      measure: plan.sweep.measure,
      onStep: (metrics, horizon) => watch.onStep(metrics, horizon),
    });
    return { figures };
  } catch (error) {
    if (diskError(error, folder) !== null) throw error;
    return { failed: reasonOf(error) };
  }
}

/** `early-first-1-late-last-4-seed-0-1f2e3d`: what a file system takes, and nobody else's. */
const folderName = ({ key }: PlannedTrial): string =>
  `${key.replace(/[^\w.]+/g, '-').slice(0, 100)}-${createHash('sha256').update(key).digest('hex').slice(0, 6)}`;

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof InputError || error instanceof DeviceError) return error.message;
  return `internal error: ${error.stack?.split('\n').slice(0, 3).join(' ') ?? error.message}`;
}
