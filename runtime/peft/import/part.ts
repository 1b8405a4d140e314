/** What a PEFT folder comes to: parts of a spec with their numbers. */
import type { Base, Site } from '../../../compiler/model/model.ts';
import type { NewTensor } from '../../weights/safetensors.ts';
import type { PeftConfig } from '../config.ts';
import type { PeftTensors } from '../tensors.ts';

/** One part of the spec. */
export interface ImportedPart {
  readonly kind: string;
  readonly name: string;
  /** What stands after `on`. */
  readonly on: string;
  /** Its attributes as they are written: `rank = 4  alpha = 8`. */
  readonly attributes: string;
  /** Its numbers, under the names that the part gives its parameters. */
  readonly tensors: readonly NewTensor[];
}

/** What every reader of a method is given. */
export interface ImportContext {
  readonly config: PeftConfig;
  readonly tensors: PeftTensors;
  readonly base: Base;
  /** Every place of the base. */
  readonly sites: readonly Site[];
}
