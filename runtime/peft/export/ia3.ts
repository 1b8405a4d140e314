/** `rescale` and `scale` parts as PEFT's IA3. */
import { logical, type Part, type Site } from '../../../compiler/model/model.ts';
import { fullKey, orderRows } from '../tensors.ts';
import { type Exported, type ExportContext, noPlace, numbersOf, ownersOf } from './context.ts';
import { targetsFor } from './modules.ts';
import { exportSaved } from './saved.ts';

/** Whether a part multiplies what enters a place. */
const entering = (part: Part, site: Site): boolean =>
  part.kind === 'rescale' ? site.role === 'down' : part.fields['side'] === 'input';

export function exportIa3(it: ExportContext): Exported {
  const parts = it.parts.filter(({ kind }) => kind === 'rescale' || kind === 'scale');
  for (const part of parts)
    for (const { name, kind } of part.sites)
      if (kind !== 'linear') throw noPlace(it, part, `\`${name}\` is no linear`);
  const owners = ownersOf(it, parts, 'factors');
  const sites = [...owners.keys()];
  const linears = it.sites.filter(({ kind }) => kind === 'linear');
  const { target_modules, layers_to_transform } = targetsFor(sites, linears);
  const before = [...owners].flatMap(([site, part]) => (entering(part, site) ? [site] : []));
  const saved = exportSaved(it, sites);
  // IA3 knows no layers: where not all have the factors, modules are named one by one.
  const whole = (from: readonly Site[]) => from.map(({ huggingface }) => huggingface);
  const words = targetsFor(before, sites);
  const each = layers_to_transform !== null || words.layers_to_transform !== null;
  return {
    config: {
      target_modules: each ? whole(sites) : target_modules,
      feedforward_modules: each ? whole(before) : words.target_modules,
      init_ia3_weights: true,
      fan_in_fan_out: false,
      ...saved.config,
    },
    tensors: [
      ...[...owners].map(([site, part]) => {
        const values = numbersOf(it, `${part.name}.${site.name}`);
        const input = before.includes(site);
        const size = logical(input ? site.input : site.output);
        return {
          name: fullKey(`${site.huggingface}.ia3_l`),
          shape: input ? [1, size] : [size, 1],
          values: input ? values : orderRows(values, it.base, site, true),
        };
      }),
      ...saved.tensors,
    ],
  };
}
