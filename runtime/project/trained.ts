/** A base with the trained parts of a file in place. */
import type { Model } from '../../compiler/model/model.ts';
import { openWeights } from '../files.ts';
import { InputError } from '../input-error.ts';
import { ADAPTER_FORMAT, importAdapter } from '../weights/adapter.ts';
import { type Start, startOf } from './open.ts';

/** Where a model starts that is not to be trained: its parts from `adapter`, or as they are at first. */
export async function startTrained(model: Model, adapter: string | null): Promise<Start> {
  const plain = await startOf(model, 0);
  if (adapter === null) return plain;
  try {
    const initial = await readAdapter(adapter, model, plain.fingerprint);
    return await startOf(model, 0, { initial });
  } finally {
    await plain.close();
  }
}

/** What a training checkpoint of others holds for us: parts, and what of the base their spec trains, such as norms. */
function trainedNames({ parameters, tasks }: Model): ReadonlySet<string> {
  const trained = new Set(tasks.flatMap((task) => task.trains));
  return new Set(
    parameters.map(({ name, owner }) => (owner !== 'base' || trained.has(name) ? name : '')).filter(Boolean),
  );
}

async function readAdapter(
  path: string,
  model: Model,
  fingerprint: string,
): Promise<ReadonlyMap<string, Float32Array>> {
  const source = await openWeights(path);
  const wanted = source.metadata['format'] === ADAPTER_FORMAT ? undefined : trainedNames(model);
  const imported = importAdapter(source, model, fingerprint, wanted).finally(() => source.close());
  const { values, missing: absent, unused, family } = await imported;
  const trainedAs = source.metadata['adapter'];
  if (family === 'graft' && unused.length > 0)
    throw new InputError(
      `${path} ${trainedAs === undefined ? 'is no adapter' : `was trained as \`${trainedAs}\``}: \`${model.name}\` has no place for ${unused.slice(0, 3).join(', ')}${unused.length > 3 ? ` and ${unused.length - 3} more` : ''}`,
      'give the spec and the adapter it was trained with',
    );
  // An encoder that has a file of its own is not in the adapter's.
  const own = new Set(
    model.parameters
      .filter(({ init, owner }) => init.kind === 'weights' && owner !== 'base')
      .map(({ name }) => name),
  );
  const missing = absent.filter((name) => !own.has(name));
  if (missing.length > 0)
    console.error(
      `${path} has no ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}: they keep their start`,
    );
  return values;
}
