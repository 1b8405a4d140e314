/** `graft train SPEC[:ADAPTER]`: trains by a recipe, in a folder of its own. */
import { constants, existsSync } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { describeBad } from '../data/picture-store.ts';
import { openDevice } from '../device/device.ts';
import { InputError } from '../input-error.ts';
import { writePackage } from '../files/package.ts';
import { writeAdapter, writeRecord } from '../train/outcome.ts';
import { runFolder } from '../train/run-folder.ts';
import { runTraining, type RunSummary } from '../train/run.ts';
import { counted } from '../train/learning-rate.ts';
import { versions } from '../versions.ts';
import { type Command, EXIT, UsageError, wholeNumber } from './command.ts';
import { encodeStore, encodeTasks, type Encoding } from '../project/encoding.ts';
import { identityOf } from '../project/identity.ts';
import { runNotes } from '../project/run-notes.ts';
import { hasTests, printScore, scoreTests, trainedValues } from '../project/held-out.ts';
import { makeProgress, type Progress } from './progress.ts';
import { nodeHost } from '../hosts/node.ts';
import { loadRecipeData } from '../project/recipe-data.ts';
import { tokenizerOf } from '../project/tokenizer.ts';
import { pickRecipe, withSteps } from '../project/recipe.ts';
import { openProject, type Project } from '../project/spec.ts';
import { checkOptions, readSettings, specOptions, specUsage } from './spec-arguments.ts';
import { claim } from '../sweep/stores/claims.ts';
import type { Claim } from '../sweep/store.ts';
import { withChatTemplate } from '../project/chat-attribute.ts';
import { withPartFiles } from '../project/part-files.ts';
import { takeFrom } from '../project/trained.ts';
import { openTrainable } from '../project/trainable.ts';

const options = {
  recipe: { type: 'string' },
  out: { type: 'string' },
  ...specOptions,
  seed: { type: 'string' },
  steps: { type: 'string' },
  from: { type: 'string' },
  'allow-changes': { type: 'boolean', default: false },
  scratch: { type: 'boolean', default: false },
  resume: { type: 'boolean', default: false },
  'checkpoint-every': { type: 'string', default: '100' },
  encoder: { type: 'string', default: 'auto' },
} as const;

export const command: Command = {
  name: 'train',
  summary: 'train the parts of a spec',
  usage: `usage: graft train SPEC[:ADAPTER] [--recipe NAME] [--out FOLDER]
                   [--seed N] [--steps N] [--from FILE [--allow-changes]] [--scratch] [--resume]
                   [--checkpoint-every N] [--encoder WHEN]

  --out FOLDER   metrics, checkpoints, package and the trained adapter; default runs/ADAPTER
  --from FILE    start from the parameters in this file where it has them, and say which those are
  --allow-changes   with --from: also where base or attributes (alpha, a gate's function, ...) were others in the file
  --scratch      start the base from random numbers instead of its file (pre-training)
  --resume       go on from the folder's last checkpoint; from the start where there is none yet
  --checkpoint-every N   steps between checkpoints; default 100
  --encoder WHEN  a frozen image encoder runs in every step (inline) or once a picture (cached); default auto
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [spec] = positionals;
    if (positionals.length !== 1 || spec === undefined) throw new UsageError('give one spec');
    const project = await openProject(nodeHost, spec, checkOptions(values));
    const recipe = adjust(pickRecipe(project.model, values.recipe), values);
    const folder = values.out ?? `runs/${project.model.name}`;
    const given: TrainOptions = {
      spec,
      params: readSettings(values.set),
      scratch: values.scratch,
      from: values.from,
      allowChanges: values['allow-changes'],
      checkpointEvery: wholeNumber(values['checkpoint-every'], '--checkpoint-every', 1),
      encoder: encodingOf(values.encoder),
    };
    const held = await prepareFolder(folder, values.resume);
    try {
      await train(project, recipe, folder, given);
    } finally {
      held.release();
    }
    return EXIT.ok;
  },
};

function adjust(
  recipe: Recipe,
  values: { readonly seed?: string | undefined; readonly steps?: string | undefined },
): Recipe {
  const seed = values.seed === undefined ? recipe.seed : wholeNumber(values.seed, '--seed');
  const steps = values.steps === undefined ? undefined : wholeNumber(values.steps, '--steps', 1);
  return withSteps({ ...recipe, seed }, steps);
}

function encodingOf(text: string): Encoding {
  const encoding = (['inline', 'cached', 'auto'] as const).find((name) => name === text);
  if (encoding) return encoding;
  throw new UsageError(`--encoder takes inline, cached or auto, not \`${text}\``);
}

/** @returns the claim of this process on the folder */
async function prepareFolder(folder: string, resume: boolean): Promise<Claim> {
  const exists = ['metrics.jsonl', 'checkpoints', 'adapter.safetensors'].some((name) =>
    existsSync(`${folder}/${name}`),
  );
  if (exists && !resume)
    throw new InputError(
      `${folder} already holds a run`,
      'go on with --resume, or give another folder with --out',
    );
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return claimFolder(folder);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    const message = `cannot write into the folder ${folder}: ${String(cause)}`;
    throw new InputError(message, 'free some space, or give another folder with --out', { cause });
  }
}

/** Two processes in one folder would write over each other's metrics and checkpoints. */
function claimFolder(folder: string): Claim {
  const held = claim(folder, 'run');
  if (typeof held !== 'string') return held;
  throw new InputError(
    `${folder} is in use: ${held} trains there`,
    'wait for it, or give another folder with --out',
  );
}

interface TrainOptions {
  readonly spec: string;
  readonly params: Readonly<Record<string, string>>;
  readonly scratch: boolean;
  readonly from: string | undefined;
  readonly allowChanges: boolean;
  readonly checkpointEvery: number;
  readonly encoder: Encoding;
}

async function train(project: Project, recipe: Recipe, folder: string, given: TrainOptions): Promise<void> {
  const { host, model, spec } = project;
  const tokenizer = await tokenizerOf(project);
  const data = await loadRecipeData(project, recipe, tokenizer);
  for (const [task, { report }] of data.datasets) {
    console.error(
      `${task}: ${counted(report.examples, 'example')}, ${report.labels} labels, ${report.longest} tokens at most${report.truncated > 0 ? `, ${report.truncated} cut` : ''}${report.unlabelled > 0 ? `, ${report.unlabelled} without anything to learn` : ''}`,
    );
    const bad = report.bad ?? [];
    if (bad.length > 0)
      console.error(
        `${task}: ${bad.length} left out because of their pictures\n  ${describeBad(bad).join('\n  ')}`,
      );
  }
  const { passes, warnings } = runNotes(recipe, data);
  for (const note of [...passes, ...warnings]) console.error(note);
  const device = await openDevice();
  const taken =
    given.from === undefined
      ? { initial: new Map<string, Float32Array>() }
      : await takeFrom(given.from, project, { ...given, tokenizer });
  const { compiled, encoder, session, trainer, origin } = await openTrainable(device, project, recipe, data, {
    encoding: given.encoder,
    scratch: given.scratch,
    ...taken,
  });
  const attributes = withChatTemplate(withPartFiles(attributesOf(model), model, origin), tokenizer);
  const identity = await identityOf(project, spec.hash, origin, data, given.from);
  const record = {
    spec: given.spec,
    adapter: model.name,
    recipe: recipe.name,
    params: given.params,
    seed: recipe.seed,
    steps: recipe.steps,
    scratch: given.scratch,
    from: given.from ?? null,
    specHash: spec.hash,
    base: origin.base,
    versions,
  };
  process.once('SIGINT', () => {
    console.error(`\nstopped; --resume --out ${folder} goes on from the last checkpoint, if there is one`);
    process.exit(130);
  });
  let progress: Progress | null = null;
  const summary = await runTraining(trainer, {
    recipe,
    data: encoder ? await encodeTasks(session, encoder, data, encodeStore(host.warn)) : data.batches,
    store: runFolder(folder),
    identity,
    checkpointEvery: given.checkpointEvery,
    // Not before the checkpoint was found to be this run's: a run that is refused leaves the folder as it was.
    onStart: async (step) => {
      await writePackage(`${folder}/package`, compiled.manifest, compiled.sources);
      await writeRecord(folder, record, device);
      progress = makeProgress(process.stderr, step);
    },
    onStep: (metrics, horizon) => progress?.step(metrics, horizon),
  });
  (progress as Progress | null)?.end();
  await writeAdapter(`${folder}/adapter.safetensors`, session, origin.base, attributes);
  console.log(describeEnd(summary));
  console.log(`${folder}: adapter.safetensors, metrics.jsonl, package/, run.json, checkpoints/`);
  const trained = hasTests(model) ? await trainedValues(session) : new Map<string, Float32Array>();
  session.executor.destroy();
  const scores = await scoreTests(device, project, tokenizer, {
    initial: new Map([...taken.initial, ...trained]),
    scratch: given.scratch,
    recipe,
  });
  for (const score of scores) console.log(printScore(score));
}

/** `300 steps (from 200), loss 0.1234 over the last tenth`. */
function describeEnd({ steps, resumedFrom, loss }: RunSummary): string {
  const before = resumedFrom === steps ? 'all of them done before' : `from ${resumedFrom}`;
  const end =
    loss === null
      ? 'metrics.jsonl does not say the loss at the end'
      : `loss ${loss.toFixed(4)} over the last tenth`;
  return `${counted(steps, 'step')}${resumedFrom > 0 ? ` (${before})` : ''}, ${end}`;
}
