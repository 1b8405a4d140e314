/** What the tests of whole programs stand on: the specs of the library on tiny bases, with random numbers in every parameter. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Source } from '../../compiler/build/context.ts';
import { checkSpec } from '../../compiler/check/check.ts';
import { buildTraining, type Sizes } from '../../compiler/build/programs.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { hooksOf } from '../../compiler/kinds/index.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import type { Base, Model, Parameter, Task } from '../../compiler/model/model.ts';
import type { Recipe } from '../../compiler/model/recipe.ts';
import { differentiateLoss } from '../../compiler/passes/autodiff.ts';
import { invariant } from '../../grammar/invariant.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { createRandom, type Random } from '../../runtime/random.ts';

/** Nothing is a multiple of four but the width: heads of 6 in groups of two, ffn 10, vocabulary 13. */
export const tiny: Base = {
  name: 'tiny',
  family: 'llama',
  layers: 2,
  dim: 24,
  heads: 4,
  kvHeads: 2,
  headDim: 6,
  ffn: 10,
  vocab: 13,
  context: 24,
  normEps: 1e-5,
  rope: { style: 'interleaved', theta: 10000 },
  tied: false,
};

/** The width is odd as well: three heads of 6 over one key. */
export const odd: Base = { ...tiny, name: 'odd', dim: 18, heads: 3, kvHeads: 1 };

export interface Subject {
  /** `spec.adapter:Adapter`. */
  readonly name: string;
  readonly model: Model;
}

const folder = join(import.meta.dirname, '../../specs');
export const specPath = (file: string): string => join(folder, file);
/**
 * Values of the params that the specs of the library have in common: prompts of three tokens in the last layer, an
 * encoder of two blocks that sees four patches, and projectors of odd widths.
 */
const small: Readonly<Record<string, string>> = {
  late: 'last 1',
  length: '3',
  rank: '2',
  size: '5',
  early: 'first 1',
  patches: '3',
  eye: 'vit(resolution: 4, patch: 2, width: 6, layers: 2, heads: 2, output: 5)',
  block: '0',
  blocks: '[0, 1]',
  width: '6',
  depth: '1',
  heads: '2',
  hidden: '7',
  features: '7',
};

/** Adapters whose graphs need a picture. */
export const needsImages = (model: Model): boolean => model.parts.some((part) => part.kind === 'encoder');

function lower(file: string, base: Base, settings: Readonly<Record<string, string>> = small): Subject[] {
  const text = readFileSync(specPath(file), 'utf8');
  const declared = new Set([...text.matchAll(/^param (\w+)/gm)].map((found) => found[1]));
  const params = Object.fromEntries(Object.entries(settings).filter(([name]) => declared.has(name)));
  const checked = checkSpec(specPath(file), nodeSpecs, { base, params });
  return Object.keys(checked.adapters).map((name) => ({
    name: `${file}:${name}`,
    model: lowerModel(checked, name),
  }));
}

const everything = (base: Base): Subject[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.adapter'))
    .flatMap((file) => lower(file, base));

/** Every adapter of `specs/` that works on text alone, on a tiny base. */
export const library = (base: Base = tiny): Subject[] =>
  everything(base).filter(({ model }) => !needsImages(model));

/** Every adapter of `specs/` that looks at images, on a tiny base with a tiny encoder. */
export const imageLibrary = (base: Base = tiny): Subject[] =>
  everything(base).filter(({ model }) => needsImages(model));

/** One adapter of the library. */
export function fromLibrary(
  file: string,
  options: { base?: Base; adapter?: string; params?: Readonly<Record<string, string>> } = {},
): Model {
  const found = lower(file, options.base ?? tiny, { ...small, ...options.params });
  const subject =
    options.adapter === undefined
      ? found.at(-1)
      : found.find(({ name }) => name.endsWith(`:${options.adapter}`));
  invariant(subject, `${file} has no adapter ${options.adapter}`);
  return subject.model;
}

/** A model from the items of an adapter; its task trains what `trains` says, on data nobody reads. */
export function modelOf(items: string, base: Base = tiny, data = 'text("some.txt")'): Model {
  const text = `import "bases.adapter"\nadapter X on llama7b {\n${items}\n}\ndata some = ${data}\n`;
  const host = {
    ...nodeSpecs,
    readFile: (path: string) => (path.endsWith('x.adapter') ? text : nodeSpecs.readFile(path)),
  };
  const checked = checkSpec(specPath('x.adapter'), host, { base });
  invariant(Object.keys(checked.adapters).length > 0, checked.diagnostics.map((d) => d.message).join('; '));
  return lowerModel(checked, 'X');
}

/** What programs of a model are built from; without `trainable`, all of its parameters are frozen. */
export const sourceOf = (model: Model, trainable: ReadonlySet<string> = new Set()): Source => ({
  model,
  trainable,
  hooksOf,
});

/** The training program of a task with its gradients, before any other pass. */
export const trainingGraph = (
  model: Model,
  task: Task,
  sizes: Sizes,
  trainable: ReadonlySet<string> = new Set(task.trains),
): Graph =>
  differentiateLoss(buildTraining(sourceOf(model, trainable), task, sizes).graph(), new Set(task.trains));

/** A recipe of one step of each task in turn, at a constant rate, without decay or clipping. */
export function recipeFor(model: Model, changes: Partial<Recipe> = {}): Recipe {
  return {
    name: 'r',
    mix: { kind: 'alternate', parts: model.tasks.map(({ name }) => ({ task: name, count: 1 })) },
    optimizer: { lr: 1e-2, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0 },
    schedule: { kind: 'constant', warmup: { value: 0, unit: 'steps' }, floor: 0 },
    epochs: null,
    steps: 10,
    batch: 2,
    accumulate: 1,
    average: 'labels',
    clip: null,
    seed: 1,
    span: { file: '', start: 0, end: 0 },
    ...changes,
  };
}

/** Numbers for every parameter in file order, none where a method starts: no gate is zero, no scale one. */
export function randomValues(model: Model, seed = 1): Map<string, Float32Array> {
  const kinds = new Map(model.parts.map((part) => [part.name, part.kind]));
  return new Map(
    model.parameters.map((p) => {
      const random = createRandom(seed, p.name);
      const draw = drawFor(p, kinds.get(p.owner) ?? 'base', random);
      return [p.name, Float32Array.from({ length: p.shape.reduce((a, b) => a * b, 1) }, draw)];
    }),
  );
}

function drawFor(p: Parameter, kind: string, random: Random): () => number {
  const around = (mean: number, spread: number) => () => mean + spread * random.normal();
  if (p.name.endsWith('norm.weight') || kind === 'scale' || kind === 'rescale') return around(1, 0.2);
  if (p.name.endsWith('.gate'))
    return () => (random.uniform() < 0.5 ? -1 : 1) * (0.3 + 0.6 * random.uniform());
  if (kind === 'bias') return around(0, 0.15);
  if (p.name === 'tok_embeddings.weight' || p.shape.length === 1) return around(0, 1);
  if (kind === 'prompt' || kind === 'prefix') return around(0, 0.8);
  return around(0, 1 / Math.sqrt(p.shape.at(-1) ?? 1));
}
