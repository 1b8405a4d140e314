/** `lora` parts as PEFT's LORA: one of them for all modules, with ranks and alphas by pattern. */
import { logical, type Part, type Site } from '../../../compiler/model/model.ts';
import type { NewTensor } from '../../weights/safetensors.ts';
import { fullKey, orderRows } from '../tensors.ts';
import { type Exported, type ExportContext, noPlace, numbersOf, ownersOf } from './context.ts';
import { patternOf, targetsFor } from './modules.ts';
import { exportSaved } from './saved.ts';

const numberOf = (part: Part, field: string): number => {
  const value = part.fields[field];
  return typeof value === 'number' ? value : 0;
};

/** `alpha`; where there is none, the one with which PEFT multiplies by 1. */
function alphaOf(part: Part): number {
  const rank = numberOf(part, 'rank');
  if (typeof part.fields['alpha'] === 'number') return part.fields['alpha'];
  return part.fields['rslora'] === true ? Math.sqrt(rank) : rank;
}

export function exportLora(it: ExportContext): Exported {
  const parts = it.parts.filter(({ kind }) => kind === 'lora');
  requireAlike(it, parts, 'rslora', 'use_rslora');
  requireAlike(it, parts, 'dora', 'use_dora');
  const owners = ownersOf(it, parts, 'update');
  const sites = [...owners.keys()];
  const numbers = (of: (part: Part) => number) =>
    new Map([...owners].map(([site, part]) => [site, of(part)] as const));
  const rank = patternOf(numbers((part) => numberOf(part, 'rank')));
  const alpha = patternOf(numbers(alphaOf));
  const saved = exportSaved(it, sites);
  const [first] = parts;
  const linears = it.sites.filter(({ kind }) => kind === 'linear');
  return {
    config: {
      ...targetsFor(sites, linears),
      layers_pattern: null,
      r: rank.usual,
      rank_pattern: rank.pattern,
      lora_alpha: alpha.usual,
      alpha_pattern: alpha.pattern,
      use_rslora: first?.fields['rslora'] === true,
      use_dora: first?.fields['dora'] === true,
      lora_dropout: 0,
      fan_in_fan_out: false,
      init_lora_weights: true,
      ...saved.config,
    },
    tensors: [...[...owners].flatMap(([site, part]) => lowTensors(it, site, part)), ...saved.tensors],
  };
}

/** What PEFT has one setting for must be the same in all parts. */
function requireAlike(it: ExportContext, parts: readonly Part[], field: string, key: string): void {
  const [first] = parts;
  const other = parts.find((part) => (part.fields[field] === true) !== (first?.fields[field] === true));
  if (other) throw noPlace(it, other, `\`${key}\` is one setting, and \`${first?.name}\` has another`);
}

function lowTensors(it: ExportContext, site: Site, part: Part): NewTensor[] {
  const [inputs, outputs, rank] = [logical(site.input), logical(site.output), numberOf(part, 'rank')];
  const at = `${part.name}.${site.name}`;
  const key = fullKey(site.huggingface);
  return [
    { name: `${key}.lora_A.weight`, shape: [rank, inputs], values: numbersOf(it, `${at}.a`) },
    {
      name: `${key}.lora_B.weight`,
      shape: [outputs, rank],
      values: orderRows(numbersOf(it, `${at}.b`), it.base, site, true),
    },
    ...(part.fields['dora'] === true
      ? [
          {
            name: `${key}.lora_magnitude_vector`,
            shape: [outputs],
            values: orderRows(numbersOf(it, `${at}.m`), it.base, site, true),
          },
        ]
      : []),
  ];
}
