/** `graft merge`: folds trained parts into the base, exactly, and writes a base that runs without them. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { familyOf } from '../../compiler/families/index.ts';
import { shortName } from '../../compiler/families/sites.ts';
import { mergedBase, obstaclesOf } from '../../compiler/merge/merge.ts';
import type { Base, Model } from '../../compiler/model/model.ts';
import { mib } from '../device/buffers.ts';
import { openWeights } from '../files.ts';
import { writeWhole } from '../files/write.ts';
import { InputError } from '../input-error.ts';
import { baseMetadata, planBase } from '../weights/base.ts';
import type { Naming } from '../weights/names.ts';
import { streamSafetensors } from '../weights/safetensors.ts';
import { listSome } from '../weights/source.ts';
import { type Command, EXIT, positiveNumber, UsageError } from './command.ts';
import { baseSpec } from '../merge/spec.ts';
import { describeSurvival, requireSurvival, type Survival } from '../merge/survival.ts';
import { mergedTensors, type Rounding } from '../merge/tensors.ts';
import { nodeHost } from '../hosts/node.ts';
import { type HostedModel, loadModel } from '../project/spec.ts';
import type { Origin } from '../project/start.ts';
import { checkOptions, specOptions, specUsage } from './spec-arguments.ts';
import { startTrained } from '../project/trained.ts';

const dtypes = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;
type Stored = (typeof dtypes)[keyof typeof dtypes];

const options = {
  adapter: { type: 'string' },
  'allow-changes': { type: 'boolean', default: false },
  out: { type: 'string' },
  dtype: { type: 'string', default: 'f32' },
  'max-loss': { type: 'string', default: '0.1' },
  ...specOptions,
} as const;

export const command: Command = {
  name: 'merge',
  summary: 'fold trained parts into the base where they can be',
  usage: `usage: graft merge SPEC[:ADAPTER] --adapter FILE [--allow-changes] --out FILE.safetensors [--dtype f32|f16|bf16]
                   [--max-loss SHARE]

  Writes the base with the parts in its weights, named as in the base's own file, and FILE.adapter, which declares it.
  Parts that are no weights (prompts, prefixes, what looks at images) are refused, each with its reason.

  --adapter FILE   trained parameters (adapter.safetensors of a run, or an official checkpoint as safetensors)
  --allow-changes  also where attributes (alpha, order of parts, ...) were others when it was trained
  --out FILE       a new file
  --dtype TYPE     how numbers are stored; default f32. f16 and bf16 round them
  --max-loss SHARE with f16 and bf16: refuse where more than this share of the adapter's change is rounded away;
                   default 0.1, and 1 refuses nothing
${specUsage}`,
  async run(argv) {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [argument] = positionals;
    if (positionals.length !== 1 || argument === undefined) throw new UsageError('give one spec');
    const { adapter, out } = values;
    if (adapter === undefined) throw new UsageError('give the trained parameters with --adapter FILE');
    if (!out?.endsWith('.safetensors')) throw new UsageError('--out takes a FILE.safetensors to write');
    const dtype = dtypeNamed(values.dtype);
    const maxLoss = positiveNumber(values['max-loss'], '--max-loss', 1);
    const model = loadModel(nodeHost, argument, checkOptions(values));
    requireMergeable(model);
    const spec = out.replace(/\.safetensors$/, '.adapter');
    for (const file of [out, spec])
      if (existsSync(file))
        throw new InputError(`${file} exists`, 'give another name with --out: nothing is overwritten');
    const allowChanges = values['allow-changes'];
    await merge({ host: nodeHost, model }, { adapter, allowChanges, out, spec, dtype, maxLoss });
    return EXIT.ok;
  },
};

function dtypeNamed(text: string): Stored {
  const found = Object.entries(dtypes).find(([name]) => name === text);
  if (found) return found[1];
  throw new UsageError(`--dtype takes ${Object.keys(dtypes).join(', ')}, not \`${text}\``);
}

/** Says of every part that is no weight why, and what to do instead. */
function requireMergeable(model: Model): void {
  const obstacles = obstaclesOf(model);
  if (obstacles.length === 0) return;
  const lines = obstacles.map(({ part, kind, reason }) => `\n  \`${part}\` (${kind}): ${reason}`);
  const drops = obstacles.filter(({ never }) => never).map(({ part }) => `drop ${part}`);
  throw new InputError(
    `\`${model.name}\` cannot be merged into \`${model.base.name}\`:${lines.join('')}`,
    `keep the adapter beside its base (\`graft generate --adapter FILE\`), or train and merge one without: \`adapter Rest extends ${model.name} { ${drops.join('  ')} }\``,
  );
}

interface Files {
  readonly adapter: string;
  readonly allowChanges: boolean;
  readonly out: string;
  readonly spec: string;
  readonly dtype: Stored;
  /** Share of the adapter's change that may be rounded away. */
  readonly maxLoss: number;
}

async function merge(hosted: HostedModel, files: Files): Promise<void> {
  const { adapter, allowChanges, out, spec, dtype, maxLoss } = files;
  const { model } = hosted;
  const start = await startTrained(hosted, adapter, { allowChanges });
  try {
    const { naming, unexpected } = await namingOf(model);
    const merged = mergedBase(model);
    const rounding: Rounding = { largest: 0, at: '' };
    const survival: Survival = [];
    const { values, before } = start;
    const writing = { merged, naming, dtype, rounding, survival, values, before };
    const tensors = mergedTensors(model, writing);
    const metadata = metadataOf(model, merged, naming, await start.origin());
    const { size, chunks } = streamSafetensors(tensors, metadata);
    // What is lost is known when all is made: the file gets its name after that, or not at all.
    const checked = async function* () {
      yield* chunks();
      if (dtype !== 'F32') requireSurvival(survival, dtype, maxLoss);
    };
    await writeWhole(out, size, checked());
    await writeFile(spec, baseSpec(merged, { model, weights: out, folder: dirname(spec) }), { flag: 'wx' });
    console.log(`${out}: ${tensors.length} tensors, ${dtype}, ${mib(size)} MiB`);
    console.log(`${spec}: \`base ${merged.name}\`, and the adapter \`Merged\` that adds nothing to it`);
    if (dtype !== 'F32') console.error(describeSurvival(survival, dtype));
    for (const note of notesOf(model, merged, naming, rounding)) console.error(note);
    if (unexpected.length > 0) console.error(`left out: ${listSome(unexpected)}, which are not of the base`);
  } finally {
    await start.close();
  }
}

/** How the base's own file names its tensors. */
async function namingOf({
  base,
  parameters,
}: Model): Promise<{ naming: Naming; unexpected: readonly string[] }> {
  const source = await openWeights(base.weights ?? '');
  try {
    return planBase(
      source,
      base,
      parameters.filter(({ owner }) => owner === 'base'),
    );
  } finally {
    await source.close();
  }
}

/** transformers loads only what says that it is of PyTorch; ours states the order of the rows. */
const metadataOf = (model: Model, merged: Base, naming: Naming, { base }: Origin) => ({
  ...(naming.style === 'huggingface'
    ? { format: 'pt' }
    : baseMetadata({ name: merged.name, rope: { ...merged.rope, style: naming.rope } })),
  merged_adapter: model.name,
  merged_base: base,
});

/** What Hugging Face calls a linear: `q_proj` for `wq`. */
function huggingfaceOf({ sites }: Model, linear: string): string {
  const site = sites.find((s) => shortName(s) === linear);
  return site === undefined ? linear : shortName({ name: site.huggingface });
}

/** What somebody who uses the file must know. */
function notesOf(model: Model, merged: Base, naming: Naming, { largest, at }: Rounding): string[] {
  const notes: string[] = [];
  const added = (merged.biases ?? []).filter((linear) => !model.base.biases?.includes(linear));
  if (added.length > 0) notes.push(`biases were added to ${added.join(', ')}: the base declares \`biases\``);
  if (naming.style === 'huggingface') {
    for (const { linears, key } of familyOf(model.base).biases) {
      const here = linears.filter((linear) => added.includes(linear));
      if (here.length === 0 || key === 'always') continue;
      const theirs = [...new Set(here.map((linear) => huggingfaceOf(model, linear)))].join(', ');
      notes.push(
        key === null
          ? `transformers has no bias on ${theirs}: it would leave what was added there out`
          : `in config.json, set "${key}": true`,
      );
    }
    if (model.base.tied && !merged.tied) notes.push('in config.json, set "tie_word_embeddings": false');
  }
  if (model.base.tied && !merged.tied)
    notes.push("the output head is no longer the embedding: what was folded in is the head's alone");
  if (largest > 0)
    notes.push(`rounded: the largest change of a number is ${largest.toPrecision(3)}, in ${at}`);
  return notes;
}
