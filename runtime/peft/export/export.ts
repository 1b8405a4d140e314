/** A trained adapter of ours as a folder of PEFT's: which of its methods it is, and a refusal of every part that is not. */
import type { Model, Part } from '../../../compiler/model/model.ts';
import { InputError } from '../../input-error.ts';
import { type PeftType, peftTypes } from '../config.ts';
import { type Exported, type ExportContext, noPlace } from './context.ts';
import { exportIa3 } from './ia3.ts';
import { exportLora } from './lora.ts';
import { exportNorms } from './norms.ts';
import { exportAdaption, exportPrefix, exportPrompt } from './prompts.ts';

interface Writer {
  /** Whether a part is of this method. */
  readonly isOwn: (part: Part) => boolean;
  /** Whether the method also holds parameters of the base that were trained as a whole. */
  readonly saves: boolean;
  readonly write: (it: ExportContext) => Exported;
}

const isNorms = ({ kind, sites }: Part): boolean =>
  kind === 'unfreeze' && sites.every((site) => site.kind === 'norm');

const writers: Readonly<Record<PeftType, Writer>> = {
  LORA: { isOwn: ({ kind }) => kind === 'lora', saves: true, write: exportLora },
  IA3: { isOwn: ({ kind }) => kind === 'rescale' || kind === 'scale', saves: true, write: exportIa3 },
  PROMPT_TUNING: {
    isOwn: ({ kind, input }) => kind === 'prompt' && input,
    saves: false,
    write: exportPrompt,
  },
  PREFIX_TUNING: { isOwn: ({ kind }) => kind === 'prefix', saves: false, write: exportPrefix },
  ADAPTION_PROMPT: {
    isOwn: ({ kind, input }) => kind === 'prompt' && !input,
    saves: false,
    write: exportAdaption,
  },
  LN_TUNING: { isOwn: isNorms, saves: false, write: exportNorms },
};

/**
 * adapter_config.json and the tensors of adapter_model.safetensors.
 * @param values our name -> numbers of the adapter
 * @param baseName what `base_model_name_or_path` is to say
 * @throws InputError naming the part that PEFT has no place for, and why
 */
export function exportPeft(
  model: Pick<Model, 'name' | 'base' | 'sites' | 'parts' | 'parameters'>,
  values: ReadonlyMap<string, Float32Array>,
  baseName: string | null,
): Exported {
  const { base, sites, parts, parameters } = model;
  const type = peftTypes.find((known) => parts.some(writers[known].isOwn));
  if (type === undefined)
    throw new InputError(
      `\`${model.name}\` has no part that PEFT has a method for`,
      'a lora, a rescale, a prompt, a prefix or trained norms can be exported',
    );
  const { isOwn, saves, write } = writers[type];
  const it = { type, base, sites, parts, parameters, values };
  const own = parts.find(isOwn)?.name ?? '';
  for (const part of parts)
    if (!isOwn(part) && !(saves && part.kind === 'unfreeze'))
      throw noPlace(it, part, `the folder holds \`${own}\`, and one method`);
  for (const part of parts) requireOwnModules(it, part);
  const { config, tensors } = write(it);
  const named = {
    ...config,
    peft_type: type,
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseName,
    inference_mode: true,
  };
  return { config: sorted(named), tensors };
}

/** Kinds whose numbers PEFT keeps by module. */
const BY_MODULE = ['lora', 'rescale', 'scale', 'unfreeze'];

/** A linear that shares its module with others, as in Phi-3's files, is no module of PEFT's. */
function requireOwnModules(it: ExportContext, part: Part): void {
  if (!BY_MODULE.includes(part.kind)) return;
  for (const { name, huggingface } of part.sites)
    if (it.sites.some((other) => other.huggingface === huggingface && other.name !== name))
      throw noPlace(
        it,
        part,
        `\`${name}\` is only some rows of \`${huggingface}\`, which PEFT has one update of`,
      );
}

/** Keys in the order of the alphabet, as PEFT writes them. */
const sorted = (config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
