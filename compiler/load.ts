/** Text to Model in one call, for whoever does not need the steps between. */
import type { Diagnostic } from '../grammar/diagnostic.ts';
import { checkSpec, type Checked, type CheckOptions } from './check/check.ts';
import type { Host } from './host.ts';
import { lowerModel } from './model/lower.ts';
import type { Model } from './model/model.ts';

export interface LoadOptions extends CheckOptions {
  /** The adapter to lower; the last one of the spec when it is not named. */
  readonly adapter?: string;
}

/** Check and lower in one call; `model` is null when there are errors or no such adapter. */
export function loadModel(
  path: string,
  host: Host,
  options: LoadOptions = {},
): { readonly model: Model | null; readonly diagnostics: readonly Diagnostic[]; readonly checked: Checked } {
  const checked = checkSpec(path, host, options);
  const names = Object.keys(checked.adapters);
  const name = options.adapter ?? names.at(-1);
  const model = name !== undefined && names.includes(name) ? lowerModel(checked, name) : null;
  return { model, diagnostics: checked.diagnostics, checked };
}
