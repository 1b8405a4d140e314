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

/**
 * The places that parts sit on, in the order of the base, each with its part.
 * @param what what a part gives to a place, for the message: `update`
 * @throws InputError when two parts sit on one place
 */
export function ownersOf(it: ExportContext, parts: readonly Part[], what: string): ReadonlyMap<Site, Part> {
  const owners = new Map<string, Part>();
  for (const part of parts)
    for (const { name } of part.sites) {
      const other = owners.get(name);
      if (other)
        throw noPlace(it, part, `\`${name}\` has the ${what} of \`${other.name}\` already, and can have one`);
      owners.set(name, part);
    }
  return new Map(
    it.sites.flatMap((site) => {
      const part = owners.get(site.name);
      return part ? [[site, part] as const] : [];
    }),
  );
}

/** Numbers of a parameter. @throws InputError when the adapter's file has none */
export function numbersOf({ values }: ExportContext, name: string): Float32Array {
  const found = values.get(name);
  if (found) return found;
  throw new InputError(
    `the adapter has no numbers for \`${name}\``,
    'give the file that training the spec wrote, with --adapter',
  );
}
