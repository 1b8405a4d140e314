/** What the writers of PEFT's methods are given, and what they make. */
import type { Base, Parameter, Part, Site } from '../../../compiler/model/model.ts';
import { InputError } from '../../input-error.ts';
import type { NewTensor } from '../../weights/safetensors.ts';
import type { PeftType } from '../config.ts';

export interface ExportContext {
  readonly type: PeftType;
  readonly base: Base;
  /** Every place of the base. */
  readonly sites: readonly Site[];
  readonly parts: readonly Part[];
  readonly parameters: readonly Parameter[];
  /** Our name -> numbers. */
  readonly values: ReadonlyMap<string, Float32Array>;
}

/** Keys of adapter_config.json, and tensors under PEFT's keys. */
export interface Exported {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly NewTensor[];
}

/** Says that a part has no place in the folder. */
export const noPlace = ({ type }: Pick<ExportContext, 'type'>, part: Part, reason: string): InputError =>
  new InputError(
    `\`${part.name}\` (${part.kind}) has no place in PEFT's ${type}: ${reason}`,
    'keep the adapter as it is (`graft generate --adapter FILE`), or train and export one without that part: `adapter Rest extends NAME { drop PART }`',
  );

/** Numbers of a parameter. @throws InputError when the adapter's file has none */
export function numbersOf({ values }: ExportContext, name: string): Float32Array {
  const found = values.get(name);
  if (found) return found;
  throw new InputError(
    `the adapter has no numbers for \`${name}\``,
    'give the file that training the spec wrote, with --adapter',
  );
}
