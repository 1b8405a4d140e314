/** LORA: low-rank updates, with ranks and alphas by module, and with what else PEFT saves beside them. */
import { logical, type Site } from '../../../compiler/model/model.ts';
import { InputError } from '../../input-error.ts';
import { listSome } from '../../weights/source.ts';
import type { NewTensor } from '../../weights/safetensors.ts';
import { flagAt, numberAt, numbersAt } from '../config.ts';
import type { ImportContext, ImportedPart } from './part.ts';
import { selectorOf } from '../places.ts';
import { trainedWhole } from './saved.ts';
import { numberFor, siteNamed, targetsOf } from '../targets.ts';
import { orderRows } from '../tensors.ts';

/** A module with its rank and alpha. */
interface Target {
  readonly site: Site;
  readonly rank: number;
  readonly alpha: number;
}

/**
 * One `lora` for every rank and alpha that there are, then what `bias` and `modules_to_save` train.
 * @throws InputError where configuration and tensors do not belong together
 */
export async function importLora(it: ImportContext): Promise<ImportedPart[]> {
  const targets = targetsIn(it);
  const groups = new Map<string, Target[]>();
  for (const target of targets) {
    const key = `${target.rank} ${target.alpha}`;
    groups.set(key, [...(groups.get(key) ?? []), target]);
  }
  const parts: ImportedPart[] = [];
  for (const group of groups.values())
    parts.push(await partOf(it, group, groups.size === 1 ? 'low' : `low${parts.length + 1}`));
  return [
    ...parts,
    ...(await trainedWhole(
      it,
      targets.map(({ site }) => site),
    )),
  ];
}

const lowRank = /^(.+)\.lora_A\.weight$/;

/** What the configuration targets and the tensors are of, which must be the same modules. */
function targetsIn({ config, tensors, sites, base }: ImportContext): Target[] {
  const embedded = tensors.left().find((key) => key.includes('.lora_embedding_'));
  if (embedded !== undefined)
    throw new InputError(
      `${config.file}: \`target_modules\` has the embedding (\`${embedded}\`), where no \`lora\` can sit here`,
      'merge it into its base in Python, or train it again without the embedding',
    );
  const held = new Set(tensors.left().flatMap((key) => lowRank.exec(key)?.[1] ?? []));
  const found = [...held].map((module) => siteNamed(tensors, sites, module, base.name));
  const wanted = targetsOf(config, sites, 'linear');
  const missing = wanted?.filter(({ huggingface }) => !held.has(huggingface)) ?? [];
  const [first] = missing;
  if (first !== undefined)
    throw new InputError(
      `${tensors.file} has no lora_A of ${listSome(missing.map(({ huggingface }) => huggingface))}, which \`target_modules\` of ${config.file} means`,
      'the file is not whole, or of another base: get it again',
    );
  const other = wanted && found.find((site) => !wanted.includes(site));
  if (other)
    throw new InputError(
      `${tensors.file} has lora_A of \`${other.huggingface}\`, which \`target_modules\` of ${config.file} leaves out`,
      'get both files of the adapter again: they are of different trainings',
    );
  if (found.length === 0)
    throw new InputError(`${tensors.file} holds no lora_A`, 'give the folder that PEFT saved');
  const [ranks, alphas] = [numbersAt(config, 'rank_pattern'), numbersAt(config, 'alpha_pattern')];
  const [rank, alpha] = [numberAt(config, 'r'), numberAt(config, 'lora_alpha')];
  // In the order of the base's places, whatever the order of the file is.
  return sites
    .filter((site) => found.includes(site))
    .map((site) => ({
      site,
      rank: numberFor(config, 'rank_pattern', ranks, site.huggingface, rank),
      alpha: numberFor(config, 'alpha_pattern', alphas, site.huggingface, alpha),
    }));
}

async function partOf(
  { config, tensors, base, sites }: ImportContext,
  targets: readonly Target[],
  name: string,
): Promise<ImportedPart> {
  const [{ rank, alpha } = { rank: 0, alpha: 0 }] = targets;
  const dora = flagAt(config, 'use_dora');
  const made: NewTensor[] = [];
  for (const { site } of targets) {
    const [inputs, outputs] = [logical(site.input), logical(site.output)];
    const [a, b] = [`${site.huggingface}.lora_A.weight`, `${site.huggingface}.lora_B.weight`];
    const at = `${name}.${site.name}`;
    made.push({ name: `${at}.a`, shape: [rank, inputs], values: await tensors.take(a, [rank, inputs]) });
    const rows = await tensors.take(b, [outputs, rank]);
    made.push({ name: `${at}.b`, shape: [outputs, rank], values: orderRows(rows, base, site) });
    if (!dora) continue;
    const lengths = await tensors.take(`${site.huggingface}.lora_magnitude_vector`, [outputs]);
    made.push({ name: `${at}.m`, shape: [outputs], values: orderRows(lengths, base, site) });
  }
  const switches = [
    ...(flagAt(config, 'use_rslora') ? ['rslora = true'] : []),
    ...(dora ? ['dora = true'] : []),
  ];
  return {
    kind: 'lora',
    name,
    on: selectorOf(
      targets.map(({ site }) => site),
      sites,
      base,
    ),
    attributes: [`rank = ${rank}`, `alpha = ${alpha}`, ...switches].join('  '),
    tensors: made,
  };
}
