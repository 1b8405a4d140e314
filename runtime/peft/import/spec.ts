/** The spec of an imported adapter: its base, its parts, and a task and a recipe with which its training goes on. */
import type { PeftConfig } from '../config.ts';
import type { ImportedPart } from './part.ts';

/** What the adapter of an imported spec is called. */
export const ADAPTER = 'Imported';

export interface SpecParts {
  /** How the spec comes by its base: an `import` line or a declaration. */
  readonly base: { readonly name: string; readonly text: string };
  /** The folder's name. */
  readonly from: string;
  readonly config: PeftConfig;
  readonly parts: readonly ImportedPart[];
}

/** The text, to be formatted. */
export function specText({ base, from, config, parts }: SpecParts): string {
  const names = parts.map(({ name }) => name).join(' + ');
  const rows = parts.map(
    ({ kind, name, on, attributes }) =>
      `  ${kind} ${name} on ${on}${attributes === '' ? '' : ` { ${attributes} }`}`,
  );
  return `${base.text}

/// ${config.type} of PEFT, from ${from}: its numbers are in the file beside this one.
adapter ${ADAPTER} on ${base.name} {
${rows.join('\n')}

  task tune on examples trains ${names} { template = alpaca }
}

data examples = alpaca("data/examples.json")  // a list of {"instruction", "input", "output"}: yours

recipe finetune for ${ADAPTER} {
  optimizer = adamw(lr: 1e-4, betas: [0.9, 0.999], weight_decay: 0)
  schedule  = cosine(warmup: 3%)
  epochs = 1  batch = 4  accumulate = 4
}
`;
}
