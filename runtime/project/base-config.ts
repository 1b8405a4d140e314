/** A base that a spec declares against the config.json beside its weights: two descriptions of one network. */
import { contradictions } from '../../compiler/families/agrees.ts';
import { configOf, type Config } from '../../compiler/families/config-reader.ts';
import type { Base } from '../../compiler/model/model.ts';
import { InputError } from '../input-error.ts';
import type { WeightSource } from '../weights/source.ts';
import type { SpecHost } from './host.ts';

/** Files that lie beside the config.json they belong to, as Hugging Face names them. */
const usual = /^(.*[\\/])?(model\.safetensors(\.index\.json)?|model-\d+-of-\d+\.safetensors)$/;

/**
 * Refuses a base that is another network than the config.json of its folder describes: all tensors may fit and the answers
 * be nonsense. A file of another name, such as a merged base, is taken as the spec says.
 * @throws InputError with every difference
 */
export function requireConfigAgrees({ specs }: Pick<SpecHost, 'specs'>, base: Base): void {
  const { weights } = base;
  if (weights === undefined) return;
  const beside = usual.exec(weights);
  const file = beside ? `${beside[1] ?? ''}config.json` : `${weights.replace(/[\\/]$/, '')}/config.json`;
  // A base that was read from this file differs from it only where its braces say so.
  if (file === base.config) return;
  const text = specs.readFile(file);
  if (text === null) return;
  requireAgrees(file, parse(file, text), base);
}

/** Refuses a base that is another network than its weights' file itself describes. @throws as `requireConfigAgrees` */
export function requireFileAgrees({ name, config }: Pick<WeightSource, 'name' | 'config'>, base: Base): void {
  if (config !== undefined) requireAgrees(name, config, base);
}

function requireAgrees(file: string, config: Config, base: Base): void {
  const lines = contradictions(base, config);
  if (lines.length === 0) return;
  throw new InputError(
    `${file} describes another model than the base \`${base.name}\`:${lines.map((line) => `\n  ${line}`).join('')}`,
    'correct the base (`graft init --base FOLDER` writes it), or name the weights that belong to it',
  );
}

function parse(file: string, text: string): Config {
  try {
    return configOf(JSON.parse(text));
  } catch (cause) {
    throw new InputError(`${file} is not valid JSON: ${String(cause)}`, 'get the file again', { cause });
  }
}
