/** Folding an adapter into its base: a file of weights and a spec that declares it. */
import { dirname } from 'node:path';
import { familyOf } from '../../compiler/families/index.ts';
import { mergedBase, obstaclesOf } from '../../compiler/merge/merge.ts';
import { type Base, lastWord, type Model } from '../../compiler/model/model.ts';
import { writeText, writeWhole } from '../files/write.ts';
import { InputError } from '../input-error.ts';
import type { HostedModel } from '../project/spec.ts';
import type { Origin } from '../project/start.ts';
import { startTrained } from '../project/trained.ts';
import { baseMetadata, planBase } from '../weights/base.ts';
import type { Naming } from '../weights/names.ts';
import { streamSafetensors } from '../weights/safetensors.ts';
import { listSome } from '../weights/source.ts';
import { baseSpec } from './spec.ts';
import { describeSurvival, requireSurvival, type Survival } from './survival.ts';
import { mergedTensors, type Rounding } from './tensors.ts';

/** Says of every part that is no weight why, and what to do instead. */
export function requireMergeable(model: Model): void {
  const obstacles = obstaclesOf(model);
  if (obstacles.length === 0) return;
  const lines = obstacles.map(({ part, kind, reason }) => `\n  \`${part}\` (${kind}): ${reason}`);
  const drops = obstacles.filter(({ never }) => never).map(({ part }) => `drop ${part}`);
  throw new InputError(
    `\`${model.name}\` cannot be merged into \`${model.base.name}\`:${lines.join('')}`,
    `keep the adapter beside its base (\`graft generate --adapter FILE\`), or train and merge one without: \`adapter Rest extends ${model.name} { ${drops.join('  ')} }\``,
  );
}

/** What is read and written, and how. */
export interface MergeFiles {
  readonly adapter: string;
  readonly allowChanges: boolean;
  readonly out: string;
  readonly spec: string;
  readonly dtype: 'F32' | 'F16' | 'BF16';
  /** Share of the adapter's change that may be rounded away. */
  readonly maxLoss: number;
}

/** A merged base that was written. */
export interface Merged {
  /** The name of the base in its spec. */
  readonly base: string;
  readonly tensors: number;
  /** Bytes of the file. */
  readonly size: number;
  /** What somebody who uses the file must know, a line each. */
  readonly notes: readonly string[];
}

/**
 * Writes the base with the parts of an adapter in its weights, and a spec that declares it.
 * @throws InputError when the adapter is not of the spec and its base, more than `maxLoss` is rounded away, or the disk is full
 */
export async function mergeAdapter(hosted: HostedModel, files: MergeFiles): Promise<Merged> {
  const { adapter, allowChanges, out, spec, dtype, maxLoss } = files;
  const { model } = hosted;
  const start = await startTrained(hosted, adapter, { allowChanges });
  try {
    const { naming, unexpected } = await namingOf(hosted);
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
    await writeText(spec, baseSpec(merged, { model, weights: out, folder: dirname(spec) }));
    return {
      base: merged.name,
      tensors: tensors.length,
      size,
      notes: [
        ...(dtype === 'F32' ? [] : [describeSurvival(survival, dtype)]),
        ...notesOf(model, merged, naming, rounding),
        ...(unexpected.length > 0 ? [`left out: ${listSome(unexpected)}, which are not of the base`] : []),
      ],
    };
  } finally {
    await start.close();
  }
}

/** How the base's own file names its tensors. */
async function namingOf({
  host,
  model: { base, parameters },
}: HostedModel): Promise<{ naming: Naming; unexpected: readonly string[] }> {
  const source = await host.openWeights(base.weights ?? '');
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
  const site = sites.find(({ word }) => word === linear);
  return site === undefined ? linear : lastWord(site.huggingface);
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
  if (model.base.store)
    notes.push(
      `\`store = ${model.base.store}\` stands in the new spec as in the old one: the file's numbers are rounded again when they are loaded, and what of the adapter's change survives that is not told here; \`store = f32\` keeps all of it`,
    );
  if (largest > 0)
    notes.push(`rounded: the largest change of a number is ${largest.toPrecision(3)}, in ${at}`);
  return notes;
}
