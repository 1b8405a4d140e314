/** What page and Node both run: a package, its weights, and what it is asked. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile, type Compiled } from '../../compiler/compile.ts';
import type { Base } from '../../compiler/model/model.ts';
import type { PackagedParameter, Profile } from '../../compiler/package/package.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { openProject } from '../../runtime/project/spec.ts';
import { pickRecipe } from '../../runtime/project/recipe.ts';
import { packageFiles } from '../../runtime/package.ts';
import { initParameter } from '../../runtime/random.ts';
import { adapterMetadata } from '../../runtime/weights/adapter.ts';
import { baseMetadata, loadBase } from '../../runtime/weights/base.ts';
import { fingerprintBase } from '../../runtime/weights/fingerprint.ts';
import { layoutSafetensors, type NewTensor, openSafetensors } from '../../runtime/weights/safetensors.ts';
import { bytesSource } from '../../runtime/weights/source.ts';

const fileOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The tokenizer of the embedded base serves both subjects. */
export const tokenizerFile = fileOf('examples/base/tokenizer.json');
const embeddedBase = fileOf('examples/base/base.safetensors');
const SEED = 7;
const PORTABLE: Profile = { device: 'gpu', subgroup: null };

export interface Subject {
  readonly compiled: Compiled;
  /** Where every parameter starts, in file order. */
  readonly values: ReadonlyMap<string, Float32Array>;
  /** What the page fetches, by address. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
}

const tinyBase: Base = {
  name: 'tiny',
  family: 'llama',
  layers: 3,
  dim: 32,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  ffn: 88,
  vocab: 2048,
  context: 128,
  normEps: 1e-5,
  rope: { style: 'half', theta: 10000 },
  tied: false,
};

/** LLaMA-Adapter V2 on a base of random numbers: needs no file but the tokenizer. */
export async function tinySubject(profile: Profile = PORTABLE): Promise<Subject> {
  const spec = fileOf('specs/llama-adapter-v2.adapter');
  const compiled = await compileFor(spec, {
    profile,
    tokens: 96,
    base: tinyBase,
    params: { late: 'last 2', length: '4' },
  });
  const { parameters, base } = compiled.manifest;
  const frozen = new Map(
    parameters.filter((p) => p.init.kind === 'weights').map((p) => [p.name, randomBase(p)]),
  );
  const tensors = parameters.flatMap((p) => tensorOf(p, frozen.get(p.name)));
  const fingerprint = await fingerprintBase(tensors);
  return finish(compiled, frozen, bytesOf(tensors, baseMetadata(base)), fingerprint);
}

/** LLaMA-Adapter V2 on the embedded base; null until the repository has its weights. */
export async function embeddedSubject(profile: Profile): Promise<Subject | null> {
  if (!existsSync(embeddedBase)) return null;
  const compiled = await compileFor(fileOf('examples/base/instruct.adapter'), { profile, tokens: 20 });
  const { base, parameters } = compiled.manifest;
  const bytes = readFileSync(embeddedBase);
  const { values, fingerprint } = await loadBase(
    await openSafetensors(bytesSource(embeddedBase, bytes)),
    base,
    parameters,
  );
  return finish(compiled, values, bytes, fingerprint);
}

/** Steps of two micro-batches of two sequences, two prompts at once. */
async function compileFor(
  spec: string,
  options: {
    readonly profile: Profile;
    readonly tokens: number;
    readonly base?: Base;
    readonly params?: Record<string, string>;
  },
): Promise<Compiled> {
  const { profile, tokens, ...rest } = options;
  const { model, spec: text } = await openProject(nodeHost, spec, rest);
  const [task] = model.tasks;
  return compile(model, {
    profile,
    recipe: { ...pickRecipe(model, undefined), batch: 2, accumulate: 2, seed: SEED },
    training: { batch: 2, tokens: { [task?.name ?? '']: tokens } },
    generation: { batch: 2, tokens, context: tokens + 16 },
    spec: text,
  });
}

/** Large enough numbers that the most probable token is so by far. */
function randomBase(p: PackagedParameter): Float32Array {
  const std = p.shape.length === 1 ? 0.1 : 0.2;
  return initParameter({ kind: 'normal', mean: p.shape.length === 1 ? 1 : 0, std }, p, SEED);
}

/** Adds an adapter off its start: zero gates would hide the prompts. */
function finish(
  compiled: Compiled,
  frozen: ReadonlyMap<string, Float32Array>,
  base: Uint8Array,
  fingerprint: string,
): Subject {
  const { manifest, sources } = compiled;
  const values = new Map(frozen);
  for (const p of manifest.parameters) {
    const start = frozen.get(p.name) ?? initParameter(p.init, p, SEED);
    const noise = initParameter({ kind: 'normal', mean: 0, std: 0.05 }, p, SEED + 1);
    values.set(p.name, p.cell === null ? start : start.map((value, i) => value + (noise[i] ?? 0)));
  }
  const trained = manifest.parameters
    .filter((p) => p.cell !== null)
    .flatMap((p) => tensorOf(p, values.get(p.name)));
  const metadata = adapterMetadata(manifest, fingerprint, manifest.spec.hash);
  const files = new Map<string, string | Uint8Array>([
    ...[...packageFiles(manifest, sources)].map(([path, text]) => [`/package/${path}`, text] as const),
    ['/base.safetensors', base],
    ['/adapter.safetensors', bytesOf(trained, metadata)],
    ['/tokenizer.json', readFileSync(tokenizerFile, 'utf8')],
  ]);
  return { compiled, values, files };
}

const tensorOf = (
  p: PackagedParameter,
  values: Float32Array | undefined,
): (NewTensor & { values: Float32Array })[] => (values ? [{ name: p.name, shape: p.shape, values }] : []);

const bytesOf = (tensors: readonly NewTensor[], metadata: Record<string, string>): Uint8Array =>
  Buffer.concat([...layoutSafetensors(tensors, metadata).chunks()]);
