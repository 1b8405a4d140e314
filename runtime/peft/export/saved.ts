/** What an `unfreeze` trained: `bias` and `modules_to_save` of a PEFT configuration. */
import { logical, type Part, type Site } from '../../../compiler/model/model.ts';
import type { NewTensor } from '../../weights/safetensors.ts';
import { fullKey, orderRows, ownWeight } from '../tensors.ts';
import { type Exported, type ExportContext, noPlace, numbersOf } from './context.ts';
import { savedNames } from './modules.ts';

/**
 * @param wrapped places that carry the method itself: their own biases have another key
 * @throws InputError for biases that `bias` has no word for
 */
export function exportSaved(it: ExportContext, wrapped: readonly Site[]): Exported {
  const parts = it.parts.filter(({ kind }) => kind === 'unfreeze');
  const biases = parts.filter((part) => part.fields['of'] === 'biases');
  const whole = parts.filter((part) => part.fields['of'] !== 'biases');
  const [of, saved] = [exportBiases(it, biases, wrapped), exportModules(it, whole, wrapped)];
  return { config: { ...of.config, ...saved.config }, tensors: [...of.tensors, ...saved.tensors] };
}

function exportBiases(it: ExportContext, parts: readonly Part[], wrapped: readonly Site[]): Exported {
  const [part] = parts;
  if (part === undefined) return { config: it.type === 'LORA' ? { bias: 'none' } : {}, tensors: [] };
  const chosen = new Set(parts.flatMap(({ sites }) => sites.map(({ name }) => name)));
  const biased = it.sites.filter((site) => site.kind === 'linear' && site.bias !== undefined);
  const own = biased.filter((site) => chosen.has(site.name));
  const low = biased.filter((site) => wrapped.includes(site));
  const bias = own.length === biased.length ? 'all' : isSame(own, low) ? 'lora_only' : null;
  if (it.type !== 'LORA' || bias === null)
    throw noPlace(
      it,
      part,
      it.type === 'LORA'
        ? '`bias` is of every linear that has one, or of those with an update, and these are neither'
        : 'it trains no biases',
    );
  const tensors = own.map((site) => {
    const key = `${site.huggingface}${wrapped.includes(site) ? '.base_layer' : ''}.bias`;
    return biasTensor(it, site, key);
  });
  return { config: { bias }, tensors };
}

const isSame = (a: readonly Site[], b: readonly Site[]): boolean =>
  a.length === b.length && a.every((site) => b.includes(site));

const biasTensor = (it: ExportContext, site: Site, key: string): NewTensor => ({
  name: fullKey(key),
  shape: [logical(site.output)],
  values: orderRows(numbersOf(it, site.bias ?? ''), it.base, site, true),
});

function exportModules(it: ExportContext, parts: readonly Part[], wrapped: readonly Site[]): Exported {
  const owner = new Map(parts.flatMap((part) => part.sites.map(({ name }) => [name, part] as const)));
  const ofBase = it.sites.filter(({ name }) => owner.has(name));
  const both = ofBase.find((site) => wrapped.includes(site));
  const half = ofBase.find(
    (site) => site.bias !== undefined && owner.get(site.name)?.fields['of'] === 'weights',
  );
  for (const [site, reason] of [
    [both, 'a module is either saved as a whole or has the method on it'],
    [half, 'a module is saved with its bias'],
  ] as const) {
    const part = site && owner.get(site.name);
    if (site && part) throw noPlace(it, part, `${reason}, as \`${site.name}\``);
  }
  if (ofBase.length === 0) return { config: { modules_to_save: null }, tensors: [] };
  // In a tied base the embedding is the head: both are written, and said to be one.
  const tied = it.base.tied && ofBase.some(({ role }) => role === 'embedding' || role === 'head');
  const twins = tied ? it.sites.filter(({ role }) => role === 'embedding' || role === 'head') : [];
  const sites = it.sites.filter((site) => ofBase.includes(site) || twins.includes(site));
  const named = sites.filter((site) => !(tied && site.role === 'head'));
  const tensors = sites.flatMap((site) => [
    weightTensor(it, site),
    ...(site.bias === undefined ? [] : [biasTensor(it, site, `${site.huggingface}.bias`)]),
  ]);
  return {
    config: {
      modules_to_save: savedNames(named, it.sites),
      ...(tied ? { ensure_weight_tying: true } : {}),
    },
    tensors,
  };
}

function weightTensor(it: ExportContext, site: Site): NewTensor {
  const own = it.parameters.find(({ name }) => name === site.parameter);
  return {
    name: fullKey(`${site.huggingface}.weight`),
    shape: own?.shape ?? [],
    values: ownWeight(numbersOf(it, site.parameter), it.base, site, true),
  };
}
