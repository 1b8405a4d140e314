/** Parameters of the base that PEFT trains as a whole and saves: biases, norms, the head. They become `unfreeze`. */
import { logical, type Site } from '../../../compiler/model/model.ts';
import { InputError } from '../../input-error.ts';
import type { NewTensor } from '../../weights/safetensors.ts';
import { flagAt, namesAt, notUnderstood } from '../config.ts';
import type { ImportContext, ImportedPart } from './part.ts';
import { selectorOf } from '../places.ts';
import { orderRows, ownWeight } from '../tensors.ts';

/**
 * What `bias` and `modules_to_save` add to an adapter.
 * @param wrapped places that carry the method itself: PEFT keeps their own bias under another key
 */
export async function trainedWhole(it: ImportContext, wrapped: readonly Site[]): Promise<ImportedPart[]> {
  const biases = await importBiases(it, wrapped);
  return [...biases, ...(await importSaved(it))];
}

/** The places whose biases `bias` trains: of every linear that has one, or of those with the method alone. */
function biasedPlaces({ config, sites }: ImportContext, wrapped: readonly Site[]): readonly Site[] {
  const { bias = 'none' } = config.values;
  const biased = sites.filter((site) => site.kind === 'linear' && site.bias !== undefined);
  switch (bias) {
    case null:
    case 'none':
      return [];
    case 'all':
      return biased;
    case 'lora_only':
      return biased.filter((site) => wrapped.includes(site));
    default:
      throw notUnderstood(config, 'bias');
  }
}

async function importBiases(it: ImportContext, wrapped: readonly Site[]): Promise<ImportedPart[]> {
  const places = biasedPlaces(it, wrapped);
  if (places.length === 0) return [];
  const made: NewTensor[] = [];
  for (const site of places) {
    const own = wrapped.includes(site) ? '.base_layer.bias' : '.bias';
    const shape = [logical(site.output)];
    const values = await it.tensors.take(site.huggingface + own, shape);
    made.push({ name: site.bias ?? '', shape, values: orderRows(values, it.base, site) });
  }
  const on = selectorOf(places, it.sites, it.base);
  return [{ kind: 'unfreeze', name: 'biases', on, attributes: 'of = biases', tensors: made }];
}

/** PEFT takes a module whose whole name ends in a name of the list. */
const isSaved = ({ huggingface }: Site, names: readonly string[]): boolean =>
  names.some((name) => huggingface.endsWith(name));

/** Places that `modules_to_save` trains: norms, linears, and the embedding where it is not the head too. */
async function importSaved(it: ImportContext): Promise<ImportedPart[]> {
  const { config, tensors, base, sites } = it;
  const names = namesAt(config, 'modules_to_save');
  const whole = sites.filter((site) => isSaved(site, names));
  const tied = base.tied ? whole.filter(({ role }) => role === 'head' || role === 'embedding') : [];
  if (tied.length > 0) await requireOneTable(it, tied);
  // The table of a tied base is trained once, as the embedding's.
  const places = whole.filter((site) => !(base.tied && site.role === 'head'));
  const made: NewTensor[] = [];
  for (const site of places) {
    const [inputs, outputs] = [logical(site.input), logical(site.output)];
    const shape =
      site.kind === 'norm' ? [outputs] : site.kind === 'embedding' ? [inputs, outputs] : [outputs, inputs];
    const values = await tensors.take(`${site.huggingface}.weight`, shape);
    made.push({ name: site.parameter, shape, values: ownWeight(values, base, site) });
    if (site.bias === undefined) continue;
    const bias = await tensors.take(`${site.huggingface}.bias`, [outputs]);
    made.push({ name: site.bias, shape: [outputs], values: orderRows(bias, base, site) });
  }
  if (places.length === 0) return [];
  return [
    { kind: 'unfreeze', name: 'saved', on: selectorOf(places, sites, base), attributes: '', tensors: made },
  ];
}

/**
 * In a base whose head is the embedding, PEFT trains a copy of the one and leaves the other as it was, unless
 * `ensure_weight_tying` keeps them one.
 */
async function requireOneTable(
  { config, tensors, sites }: ImportContext,
  tied: readonly Site[],
): Promise<void> {
  if (!flagAt(config, 'ensure_weight_tying'))
    throw notUnderstood(
      config,
      'modules_to_save',
      `and \`${tied[0]?.huggingface}\` is both the embedding and the head of this base: PEFT trained a copy of one of them, which a tied base has no place for`,
    );
  const [embedding, head] = ['embedding', 'head'].map((role) => sites.find((site) => site.role === role));
  if (!embedding || !head || !tensors.left().includes(`${head.huggingface}.weight`)) return;
  const shape = [logical(embedding.input), logical(embedding.output)];
  const [one, other] = [
    await tensors.take(`${embedding.huggingface}.weight`, shape),
    await tensors.take(`${head.huggingface}.weight`, shape),
  ];
  if (one.some((value, i) => value !== other[i]))
    throw new InputError(
      `${tensors.file}: the embedding and the head differ, and the base has one table for both`,
      'get the file again',
    );
}
