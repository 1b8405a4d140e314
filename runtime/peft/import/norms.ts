/** LN_TUNING: norms that are trained, saved under a key of their own. */
import { logical } from '../../../compiler/model/model.ts';
import { InputError } from '../../input-error.ts';
import type { NewTensor } from '../../weights/safetensors.ts';
import type { ImportContext, ImportedPart } from './part.ts';
import { selectorOf } from '../places.ts';
import { trainedWhole } from './saved.ts';
import { targetsOf } from '../targets.ts';
import { ownWeight } from '../tensors.ts';

export async function importNorms(it: ImportContext): Promise<ImportedPart[]> {
  const { config, tensors, sites, base } = it;
  const places =
    targetsOf(config, sites, 'norm') ??
    sites.filter(({ huggingface }) => tensors.left().includes(`${huggingface}.ln_tuning_layers.weight`));
  if (places.length === 0)
    throw new InputError(
      `${config.file}: \`target_modules\` means none of the norms of \`${base.name}\``,
      'give the base that the adapter was trained on with --base',
    );
  const made: NewTensor[] = [];
  for (const site of places) {
    const shape = [logical(site.output)];
    const key = `${site.huggingface}.ln_tuning_layers.weight`;
    const values = ownWeight(await tensors.take(key, shape), base, site);
    made.push({ name: site.parameter, shape, values });
  }
  const on = selectorOf(places, sites, base);
  const part = { kind: 'unfreeze', name: 'norms', on, attributes: '', tensors: made };
  return [part, ...(await trainedWhole(it, places))];
}
