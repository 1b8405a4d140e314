/** An `unfreeze` of norms alone as PEFT's LN_TUNING. */
import { logical } from '../../../compiler/model/model.ts';
import { fullKey, ownWeight } from '../tensors.ts';
import { type Exported, type ExportContext, numbersOf } from './context.ts';
import { targetsFor } from './modules.ts';

export function exportNorms(it: ExportContext): Exported {
  const chosen = new Set(it.parts.flatMap(({ sites }) => sites.map(({ name }) => name)));
  const sites = it.sites.filter(({ name }) => chosen.has(name));
  const targets = targetsFor(
    sites,
    it.sites.filter(({ kind }) => kind === 'norm'),
  );
  // LN_TUNING knows no layers: where not all are trained, norms are named one by one.
  const each = targets.layers_to_transform !== null;
  return {
    config: {
      target_modules: each ? sites.map(({ huggingface }) => huggingface) : targets.target_modules,
      modules_to_save: null,
    },
    tensors: sites.map((site) => ({
      name: fullKey(`${site.huggingface}.ln_tuning_layers.weight`),
      shape: [logical(site.output)],
      values: ownWeight(numbersOf(it, site.parameter), it.base, site, true),
    })),
  };
}
