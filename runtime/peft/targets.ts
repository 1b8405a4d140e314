/**
 * Which modules a PEFT configuration means. A module is a place of the base under Hugging Face's name,
 * `model.layers.3.self_attn.q_proj`; the rules are those of `check_target_module_exists` and `get_pattern_key` of PEFT.
 */
import type { Site } from '../../compiler/model/model.ts';
import { InputError } from '../input-error.ts';
import { layersAt, namesAt, notUnderstood, type PeftConfig } from './config.ts';

/** Every linear, the output head left out. */
const ALL_LINEAR = 'all-linear';

/** A place by the last word of its name, or by all of it. */
const isNamed = (module: string, name: string): boolean => module === name || module.endsWith(`.${name}`);

/**
 * The places that `target_modules` means, among those of `kind`; null where the file does not say.
 * @throws InputError for a regular expression that cannot be read
 */
export function targetsOf(
  config: PeftConfig,
  sites: readonly Site[],
  kind: Site['kind'],
): readonly Site[] | null {
  const { values } = config;
  const wanted = values['target_modules'];
  if (wanted === null || wanted === undefined) return null;
  const excluded = matcherOf(config, 'exclude_modules');
  const targeted = matcherOf(config, 'target_modules');
  const names = namesAt(config, 'target_modules');
  return sites.filter((site) => {
    if (site.kind !== kind || excluded(site.huggingface)) return false;
    if (wanted === ALL_LINEAR) return site.role !== 'head';
    // A module that is listed by its whole name is meant whatever its layer is.
    if (Array.isArray(wanted) && names.includes(site.huggingface)) return true;
    return targeted(site.huggingface) && isInLayers(config, site.huggingface);
  });
}

/** A text is a regular expression for the whole name; a list has names, or ends of names. */
export function matcherOf(config: PeftConfig, key: string): (module: string) => boolean {
  const value = config.values[key];
  if (typeof value === 'string' && value !== '') {
    const pattern = expression(config, key, value, `^(?:${value})$`);
    return (module) => pattern.test(module);
  }
  const names = namesAt(config, key);
  return (module) => names.some((name) => isNamed(module, name));
}

/** Whether `layers_to_transform` has the layer of a module; `layers_pattern` names what holds the layers. */
function isInLayers(config: PeftConfig, module: string): boolean {
  const layers = layersAt(config, 'layers_to_transform');
  if (layers === null) return true;
  const holders = namesAt(config, 'layers_pattern').map((name) => `.*\\.${name}\\.(\\d+)\\.`);
  for (const holder of holders.length === 0 ? ['.*\\.[^.]*\\.(\\d+)\\.'] : holders) {
    const [, layer] = expression(config, 'layers_pattern', holder, `^${holder}`).exec(module) ?? [];
    if (layer !== undefined) return layers.includes(Number(layer));
  }
  return false;
}

/**
 * The number that a pattern gives to a module: of `rank_pattern` and `alpha_pattern` the first key whose expression is the end
 * of the name counts, not the longest.
 */
export function numberFor(
  config: PeftConfig,
  key: string,
  patterns: readonly (readonly [string, number])[],
  module: string,
  other: number,
): number {
  const found = patterns.find(([end]) => expression(config, key, end, `^(?:.*\\.)?(?:${end})$`).test(module));
  return found?.[1] ?? other;
}

/**
 * A regular expression of Python's, which writes the names of groups in its own way. With `u` an escape that means
 * something in Python alone, such as `\Z`, is refused; without, it would be a letter.
 */
function expression(config: PeftConfig, key: string, written: string, whole: string): RegExp {
  try {
    return new RegExp(whole.replaceAll('(?P<', '(?<'), 'u');
  } catch {
    throw notUnderstood(config, key, `and \`${written}\` is no regular expression that is understood here`);
  }
}

/** The place that Hugging Face calls `module`. @throws InputError when the base has none */
export function siteNamed(
  { file }: { readonly file: string },
  sites: readonly Site[],
  module: string,
  base: string,
): Site {
  const found = sites.filter(({ huggingface }) => huggingface === module);
  if (found.length > 1)
    throw new InputError(
      `${file} has numbers for \`${module}\`, which is one module of PEFT's for ${found.map(({ name }) => `\`${name}\``).join(', ')}: no part here has one update of several linears`,
      'merge it into its base in Python, or train it again without that module',
    );
  const [site] = found;
  if (site) return site;
  throw new InputError(
    `${file} has numbers for \`${module}\`, which the base \`${base}\` does not have`,
    'give the base that the adapter was trained on with --base',
  );
}
