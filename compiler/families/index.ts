/** The table of families. A new family is a file beside this one and a row here. */
import { invariant } from '../../grammar/invariant.ts';
import type { Family, OfFamily, Place } from './family.ts';
import { gemma2 } from './gemma2.ts';
import { gemma3 } from './gemma3.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { olmo2 } from './olmo2.ts';
import { phi3 } from './phi3.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';
import { smollm3 } from './smollm3.ts';

export const families: readonly Family[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  smollm3,
  olmo2,
  phi3,
  gemma2,
  gemma3,
];

const byName: ReadonlyMap<string, Family> = new Map(families.map((family) => [family.name, family]));

/** The family of that name; undefined for one that is not known here. */
export const familyNamed = (name: string): Family | undefined => byName.get(name);

/** The family of a base. */
export function familyOf({ family }: OfFamily): Family {
  const found = byName.get(family);
  invariant(found, `no family ${family}`);
  return found;
}

/** Places of a family: before the layers, of each layer, behind them. */
export const placesOf = ({ before, layer, after }: Family): readonly Place[] => [
  ...before,
  ...layer,
  ...after,
];

/** Every place that some family has; of places of one name, that of the first family. */
export const allPlaces: readonly Place[] = families
  .flatMap(placesOf)
  .filter((place, i, all) => all.findIndex(({ name }) => name === place.name) === i);
