/** `rescale` and `scale` parts as PEFT's IA3. */
import { logical, type Part, type Site } from '../../../compiler/model/model.ts';
import { fullKey, orderRows } from '../tensors.ts';
import { type Exported, type ExportContext, noPlace, numbersOf } from './context.ts';
import { targetsFor } from './modules.ts';
import { exportSaved } from './saved.ts';

/** Whether a part multiplies what enters a place. */
const entering = (part: Part, site: Site): boolean =>
  part.kind === 'rescale' ? site.role === 'down' : part.fields['side'] === 'input';

export function exportIa3(it: ExportContext): Exported {
  const owner = new Map<Site, Part>();
  for (const part of it.parts.filter(({ kind }) => kind === 'rescale' || kind === 'scale'))
    for (const { name, kind } of part.sites) {
      const site = it.sites.find((known) => known.name === name);
      if (kind !== 'linear') throw noPlace(it, part, `\`${name}\` is no linear`);
      const other = site && owner.get(site);
      if (other)
        throw noPlace(it, part, `\`${name}\` has the factors of \`${other.name}\` already, and can have one`);
      if (site) owner.set(site, part);
    }
  const sites = it.sites.filter((site) => owner.has(site));
  const linears = it.sites.filter(({ kind }) => kind === 'linear');
  const { target_modules, layers_to_transform } = targetsFor(sites, linears);
  const before = sites.filter((site) => entering(owner.get(site)!, site));
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
      ...sites.map((site) => {
        const values = numbersOf(it, `${owner.get(site)?.name}.${site.name}`);
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
