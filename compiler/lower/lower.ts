/** A checked adapter to the Model: total, since everything that can be wrong was said before. */
import { invariant } from '../../grammar/invariant.ts';
import { sitesOf } from '../families/sites.ts';
import type { Model, Resolved } from '../model/model.ts';

/** The Model of one adapter; without a name, of the last one in the spec. The spec must have checked without errors. */
export function lowerModel(
  checked: { readonly path: string; readonly adapters: Readonly<Record<string, Resolved>> },
  adapterName?: string,
): Model {
  const name = adapterName ?? Object.keys(checked.adapters).at(-1) ?? '';
  const adapter = Object.hasOwn(checked.adapters, name) ? checked.adapters[name] : undefined;
  invariant(adapter !== undefined, `${checked.path} has no checked adapter \`${name}\``);
  const { base, parts, parameters, groups, tasks, data, experts, recipes } = adapter;
  return { name, base, sites: sitesOf(base), parts, parameters, groups, tasks, data, experts, recipes };
}
