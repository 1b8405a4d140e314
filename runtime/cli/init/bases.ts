/** The base of a new spec: one of the well-known ones, one that a file declares, or a model's folder. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { configOf } from '../../../compiler/families/config-reader.ts';
import { readConfig } from '../../../compiler/families/config.ts';
import { readJson } from '../../files.ts';
import { InputError } from '../../input-error.ts';
import { cachedModel } from '../../hub/cached.ts';
import { UsageError } from '../command.ts';
import { declaredBase } from '../spec-arguments.ts';
import { splitSpec } from '../../project/spec-name.ts';

export interface ChosenBase {
  readonly name: string;
  readonly layers: number;
  /** How the spec comes by it: an `import` line or a declaration. */
  readonly text: string;
}

/** Dimensions of the LLaMA models: arXiv 2302.13971, table 2. */
const known: Readonly<Record<string, readonly [layers: number, dim: number, heads: number, ffn: number]>> = {
  llama7b: [32, 4096, 32, 11008],
  llama13b: [40, 5120, 40, 13824],
  llama30b: [60, 6656, 52, 17920],
  llama65b: [80, 8192, 64, 22016],
};

export const knownBases: readonly string[] = Object.keys(known);

/**
 * The base that was asked for: a well-known name, `FILE.adapter[:NAME]`, a folder with Hugging Face's
 * `config.json`, or the name of a model in the hub's cache.
 * @param out where the spec will be: paths in it are relative to that
 * @throws UsageError when it is none of these, InputError when the folder's model is of another kind
 */
export async function chooseBase(wanted: string, out: string): Promise<ChosenBase> {
  const sizes = Object.hasOwn(known, wanted) ? known[wanted] : undefined;
  if (sizes !== undefined) return llama(wanted, sizes);
  if (splitSpec(wanted).path.endsWith('.adapter')) return declared(wanted, out);
  if (existsSync(wanted) && statSync(wanted).isDirectory())
    return fromConfig(wanted, wanted, pathFrom(out, wanted) || '.');
  const cached = cachedModel(wanted);
  if (cached !== null) return fromConfig(wanted, cached, wanted);
  throw new UsageError(
    `--base is one of ${knownBases.join(', ')}, FILE.adapter:NAME, the folder of a model with its config.json, or a model that \`graft pull\` brought, not '${wanted}'`,
  );
}

function llama(
  name: string,
  [layers, dim, heads, ffn]: readonly [number, number, number, number],
): ChosenBase {
  const text = `/// The frozen model. Put its files where these paths say, or change them.
base ${name} {
  layers = ${layers}  dim = ${dim}  heads = ${heads}  ffn = ${ffn}  vocab = 32000
  context = 2048  norm_eps = ${name === 'llama7b' || name === 'llama13b' ? '1e-6' : '1e-5'}
  weights = "weights/${name}"  tokenizer = "weights/${name}/tokenizer.model"
}`;
  return { name, layers, text };
}

/** A path as a spec in the folder of `out` writes it. */
function pathFrom(out: string, path: string): string {
  const found = out === '-' ? path : relative(dirname(out), path);
  return found.split(sep).join('/');
}

function declared(wanted: string, out: string): ChosenBase {
  const base = declaredBase(wanted);
  const text = `import ${JSON.stringify(pathFrom(out, splitSpec(wanted).path))}  // the frozen model \`${base.name}\``;
  return { name: base.name, layers: base.layers, text };
}

/** @param written the model as the spec names it */
async function fromConfig(wanted: string, folder: string, written: string): Promise<ChosenBase> {
  const file = join(folder, 'config.json');
  const { base, problems } = readConfig(configOf(await readJson(file)));
  const [first] = problems;
  if (base === null || first !== undefined)
    throw new InputError(
      `${file} ${problems.map(({ message }) => message).join('; it ')}`,
      first?.remedy ?? 'give the folder of a whole model',
    );
  const name = nameOf(wanted);
  const text = `/// The frozen model: its sizes, weights and tokenizer are those of its files.
base ${name} from ${JSON.stringify(written)}`;
  return { name, layers: base.layers, text };
}

/** A folder's name as a name of the language. */
function nameOf(folder: string): string {
  const last = folder.split(/[\\/]/).findLast((part) => part !== '' && part !== '.') ?? '';
  const word = last.replace(/\W+/g, '_').replace(/^(?=\d)/, '_');
  return /^[A-Za-z_]\w*$/.test(word) ? `model_${word}`.replace(/_+/g, '_') : 'model';
}
