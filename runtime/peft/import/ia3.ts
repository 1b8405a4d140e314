/** IA3: factors on what enters or leaves linears. */
import { logical, type Site } from '../../../compiler/model/model.ts';
import { InputError } from '../../input-error.ts';
import type { NewTensor } from '../../weights/safetensors.ts';
import type { ImportContext, ImportedPart } from './part.ts';
import { selectorOf } from '../places.ts';
import { trainedWhole } from './saved.ts';
import { matcherOf, siteNamed, targetsOf } from '../targets.ts';
import { orderRows } from '../tensors.ts';

/** The side on which a `rescale` multiplies by itself: what enters the last linear of the feed-forward network. */
const rescales = (site: Site, input: boolean): boolean => (site.role === 'down') === input;

/** `rescale` where the sides are those of the paper, and `scale` with its side where they are others. */
export async function importIa3(it: ImportContext): Promise<ImportedPart[]> {
  const { config, tensors, sites, base } = it;
  const modules = tensors.left().flatMap((key) => /^(.+)\.ia3_l$/.exec(key)?.[1] ?? []);
  const found = new Set(modules.map((module) => siteNamed(tensors, sites, module, base.name)));
  const targeted = targetsOf(config, sites, 'linear');
  const apart = targeted && sites.find((site) => targeted.includes(site) !== found.has(site));
  if (apart || found.size === 0)
    throw new InputError(
      `${tensors.file} ${apart && found.has(apart) ? 'has' : 'has no'} ia3_l of \`${apart?.huggingface ?? 'any module'}\`, unlike \`target_modules\` of ${config.file}`,
      'get both files of the adapter again: they are of different trainings',
    );
  const entering = matcherOf(config, 'feedforward_modules');
  const all = sites
    .filter((site) => found.has(site))
    .map((site) => ({ site, input: entering(site.huggingface) }));
  const parts: ImportedPart[] = [];
  for (const [kind, name, attributes, chosen] of [
    ['rescale', 'factors', '', all.filter(({ site, input }) => rescales(site, input))],
    ['scale', 'entering', 'side = input', all.filter(({ site, input }) => input && site.role !== 'down')],
    ['scale', 'leaving', '', all.filter(({ site, input }) => !input && site.role === 'down')],
  ] as const) {
    if (chosen.length === 0) continue;
    const made: NewTensor[] = [];
    for (const { site, input } of chosen) {
      const size = logical(input ? site.input : site.output);
      const values = await tensors.take(`${site.huggingface}.ia3_l`, input ? [1, size] : [size, 1]);
      made.push({
        name: `${name}.${site.name}`,
        shape: [size],
        values: input ? values : orderRows(values, base, site),
      });
    }
    const on = selectorOf(
      chosen.map(({ site }) => site),
      sites,
      base,
    );
    parts.push({ kind, name, on, attributes, tensors: made });
  }
  return [...parts, ...(await trainedWhole(it, [...found]))];
}
