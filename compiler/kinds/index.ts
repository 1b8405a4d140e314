/** The table of part kinds. A new tuning method is a file beside this one and a row here. */
import { invariant } from '../../grammar/invariant.ts';
import type { HooksOf } from '../build/hooks.ts';
import type { Part } from '../model/model.ts';
import { bias } from './bias.ts';
import { bottleneck } from './bottleneck.ts';
import { encoder } from './encoder.ts';
import type { Kind } from './kind.ts';
import { lora } from './lora.ts';
import { prefix } from './prefix.ts';
import { project } from './project.ts';
import { prompt } from './prompt.ts';
import { rescale } from './rescale.ts';
import { scale } from './scale.ts';
import { unfreeze } from './unfreeze.ts';

export const kinds: readonly Kind[] = [
  prompt,
  bias,
  scale,
  unfreeze,
  lora,
  rescale,
  bottleneck,
  prefix,
  encoder,
  project,
];

const byName: ReadonlyMap<string, Kind> = new Map(kinds.map((kind) => [kind.name, kind]));

/** The kind of that name. */
export const kindOf = (name: string): Kind | undefined => byName.get(name);

/** The kind of a part that was checked. */
export function kindOfPart(part: Part): Kind {
  const kind = kindOf(part.kind);
  invariant(kind, `no part kind ${part.kind}`);
  return kind;
}

/** What the builders of programs are handed: the hooks of each part, by its kind. */
export const hooksOf: HooksOf = (part) => kindOfPart(part).hooks;
