/** Every parameter of a base with parts on it, in one order: the base's as in its checkpoint, then each part's. */
import { kindOfPart } from '../kinds/index.ts';
import { rateOf } from '../kinds/fields.ts';
import type { Base, Parameter, Part } from '../model/model.ts';
import { baseParameters } from '../families/sites.ts';

/** Base parameters first; an `unfreeze` gives its rate to what it unfreezes. */
export function parametersOf(base: Base, parts: readonly Part[]): readonly Parameter[] {
  const rates = new Map<string, number>();
  const added: Parameter[] = [];
  for (const part of parts) {
    const kind = kindOfPart(part);
    added.push(...kind.parameters(part, base));
    for (const name of kind.unfreezes?.(part, base) ?? []) rates.set(name, rateOf(part));
  }
  const own = baseParameters(base).map((p) => {
    const rate = rates.get(p.name);
    return rate === undefined ? p : { ...p, rate };
  });
  return [...own, ...added];
}

/** Names of the parameters that `base` and each part own, in their order; lists of a checked adapter are asked often. */
export function namesByOwner(parameters: readonly Parameter[]): ReadonlyMap<string, readonly string[]> {
  const known = knownOwners.get(parameters);
  if (known !== undefined) return known;
  const owned = new Map<string, string[]>();
  for (const { owner, name } of parameters) {
    const names = owned.get(owner);
    if (names === undefined) owned.set(owner, [name]);
    else names.push(name);
  }
  knownOwners.set(parameters, owned);
  return owned;
}

const knownOwners = new WeakMap<readonly Parameter[], ReadonlyMap<string, readonly string[]>>();
