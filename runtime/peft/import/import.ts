/** A PEFT folder as parts of a spec with their numbers. Nothing is guessed: what is left over is refused by name. */
import type { Base, Site } from '../../../compiler/model/model.ts';
import { InputError } from '../../input-error.ts';
import { listSome, type WeightSource } from '../../weights/source.ts';
import type { PeftConfig, PeftType } from '../config.ts';
import { importIa3 } from './ia3.ts';
import { importLora } from './lora.ts';
import { importNorms } from './norms.ts';
import type { ImportContext, ImportedPart } from './part.ts';
import { importAdaption, importPrefix, importPrompt } from './prompts.ts';
import { openTensors } from '../tensors.ts';

const readers: Readonly<Record<PeftType, (it: ImportContext) => Promise<ImportedPart[]>>> = {
  LORA: importLora,
  IA3: importIa3,
  PROMPT_TUNING: importPrompt,
  PREFIX_TUNING: importPrefix,
  ADAPTION_PROMPT: importAdaption,
  LN_TUNING: importNorms,
};

/**
 * The parts that an adapter of PEFT comes to on a base, in the order in which they apply.
 * @param source adapter_model.safetensors
 * @param sites every place of the base
 * @throws InputError naming the key of the configuration, or the tensor, that has no counterpart or does not fit the base
 */
export async function importPeft(
  config: PeftConfig,
  source: WeightSource,
  base: Base,
  sites: readonly Site[],
): Promise<readonly ImportedPart[]> {
  const tensors = openTensors(source);
  const parts = await readers[config.type]({ config, tensors, base, sites });
  const left = tensors.left();
  if (left.length > 0)
    throw new InputError(
      `${source.name} holds ${listSome(left)}, which nothing in ${config.file} accounts for`,
      'it would be left out, and the adapter would be another: merge it in Python, or save it again with a configuration that names it',
    );
  return parts;
}
