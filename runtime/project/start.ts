/** Where parameters start: values from files, from the seed or given, each file read once, and what tells those files from others. */
import { scratchInit } from '../../compiler/families/sites.ts';
import type { Model } from '../../compiler/model/model.ts';
import { invariant } from '../../grammar/invariant.ts';
import { InputError } from '../input-error.ts';
import { initParameter } from '../random.ts';
import { type BaseParameter, planBase, readBaseParameter, requireTied } from '../weights/base.ts';
import { fingerprintBase, type Sampled, sampleEvenly } from '../weights/fingerprint.ts';
import { rowNorms } from '../weights/row-norms.ts';
import type { WeightSource } from '../weights/source.ts';
import { requireConfigAgrees, requireFileAgrees } from './base-config.ts';
import { openEncoders } from './encoder-files.ts';
import type { HostedModel } from './spec.ts';

/** What the files of a start hold, by their contents. */
export interface Origin {
  /** Tells the base from others; empty when the base starts from nothing. */
  readonly base: string;
  /** The same of the parameters of each encoder and projector that has a file, by its name. */
  readonly encoders: Readonly<Record<string, string>>;
}

export interface Start {
  readonly values: (parameter: BaseParameter) => Promise<Float32Array>;
  /** The values without those that were given (`StartOptions.initial`). */
  readonly before: (parameter: BaseParameter) => Promise<Float32Array>;
  /**
   * What the values come from. It is made of samples that are taken while `values` reads; only parameters that were never asked
   * for are read for it. @throws InputError when the start is not of this base
   */
  readonly origin: () => Promise<Origin>;
  /** Closes the files of the base and of encoders; the values cannot be read any more. */
  readonly close: () => Promise<void>;
}

export interface StartOptions {
  /** Whether the base starts from nothing instead of its file. */
  readonly scratch?: boolean;
  /** Values of parameters that start neither from a file nor from the seed. */
  readonly initial?: ReadonlyMap<string, Float32Array>;
  /** Called once the fingerprints are known. @throws InputError when `initial` is of another base or encoder */
  readonly requireOrigin?: (origin: Origin) => void;
}

/**
 * Where parameters start: the base's from its file, or from nothing when `scratch`; an encoder's from the file its spec
 * names; the parts' from the seed; any of them from `initial` where it has them.
 */
export async function startOf(hosted: HostedModel, seed: number, options: StartOptions = {}): Promise<Start> {
  const { base } = hosted.model;
  const { initial, scratch = false, requireOrigin } = options;
  const files = await openFiles(hosted, scratch);
  const samples = new Map<string, Sampled>();
  const valueOf = async (p: BaseParameter, given?: Float32Array): Promise<Float32Array> => {
    // The base's are read even where others replace them, as a norm that was trained: the fingerprint is of the file.
    const own = await files.base(p.name);
    const value =
      given ??
      own ??
      (await files.encoder(p.name)) ??
      (p.init.kind === 'norms'
        ? rowNorms(await valueOf(parameterOf(hosted.model, p.init.of)), p.shape[0] ?? 1)
        : initParameter(p.init.kind === 'weights' ? scratchInit(base, p.name) : p.init, p, seed));
    if (p.init.kind === 'weights')
      samples.set(p.name, { name: p.name, shape: p.shape, values: sampleEvenly(own ?? value) });
    return value;
  };
  const values: Start['values'] = (p) => valueOf(p, initial?.get(p.name));
  return {
    values,
    before: (p) => valueOf(p),
    async origin() {
      const fromFiles = hosted.model.parameters.filter(
        ({ init, owner }) => init.kind === 'weights' && !(scratch && owner === 'base'),
      );
      for (const p of fromFiles) if (!samples.has(p.name)) await values(p);
      const origin = await originOf(hosted.model, samples, scratch);
      requireOrigin?.(origin);
      return origin;
    },
    close: files.close,
  };
}

function parameterOf({ parameters }: Model, name: string): BaseParameter {
  const found = parameters.find((p) => p.name === name);
  invariant(found, `no parameter ${name}`);
  return found;
}

async function originOf(
  { parameters }: Model,
  samples: ReadonlyMap<string, Sampled>,
  scratch: boolean,
): Promise<Origin> {
  const sampled = (owner: string): Sampled[] =>
    parameters.flatMap((p) => (p.owner === owner ? (samples.get(p.name) ?? []) : []));
  const owners = new Set(
    parameters.filter(({ init, owner }) => init.kind === 'weights' && owner !== 'base').map((p) => p.owner),
  );
  const encoders: Record<string, string> = {};
  for (const owner of owners) encoders[owner] = await fingerprintBase(sampled(owner));
  return { base: scratch ? '' : await fingerprintBase(sampled('base')), encoders };
}

/** Values by the parameter's name; null where the files do not have it. */
interface StartFiles {
  readonly base: (name: string) => Promise<Float32Array | null>;
  readonly encoder: (name: string) => Promise<Float32Array | null>;
  readonly close: () => Promise<void>;
}

async function openFiles(hosted: HostedModel, scratch: boolean): Promise<StartFiles> {
  const base = scratch ? null : await openBase(hosted);
  try {
    const encoders = await openEncoders(hosted);
    return {
      base: async (name) => (await base?.load(name)) ?? null,
      encoder: encoders.load,
      async close() {
        await base?.close();
        await encoders.close();
      },
    };
  } catch (error) {
    await base?.close();
    throw error;
  }
}

interface OpenBase {
  /** A parameter from the base's file; null: it is not the base's, or does not come from the file. */
  readonly load: (name: string) => Promise<Float32Array | null>;
  readonly close: () => Promise<void>;
}

async function openBase({ host, model: { base, parameters } }: HostedModel): Promise<OpenBase> {
  if (base.weights === undefined)
    throw new InputError(
      `the base \`${base.name}\` names no weights`,
      'write `weights = "FILE"` in the base, or start from nothing with --scratch',
    );
  requireConfigAgrees(host, base);
  const source: WeightSource = await host.openWeights(base.weights);
  try {
    requireFileAgrees(source, base);
    const own = parameters.filter(({ owner }) => owner === 'base');
    const plan = planBase(source, base, own);
    await requireTied(source, base, plan);
    const reads = new Map(plan.reads.map((read) => [read.parameter.name, read]));
    return {
      async load(name) {
        const read = reads.get(name);
        return read ? readBaseParameter(source, base, plan, read, { checkFinite: true }) : null;
      },
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}
