/** What a task's attributes mean for its examples, wherever they are loaded. */
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { LoadOptions } from './load.ts';
import { type Template, templateOf } from './templates.ts';

/** `fields` of a task in a spec or a manifest; `none` in the spec is null in them. */
export type TaskFields = Readonly<Record<string, unknown>>;

/** How examples become text. */
export const templateFor = ({ template }: TaskFields): Template =>
  templateOf(typeof template === 'string' ? template : 'none');

/** Template, border, question and ignored token; plain text has neither a template nor a border. */
export function rulesFor(
  fields: TaskFields,
  plainText: boolean,
  tokenizer: Tokenizer,
): Pick<LoadOptions, 'template' | 'border' | 'ask'> & { readonly ignoreId: number | null } {
  const { ask, border } = fields;
  return {
    ignoreId: ignored(fields, tokenizer),
    ...(plainText ? {} : { template: templateFor(fields), border: border === 'joined' ? 'joined' : 'apart' }),
    ...(typeof ask === 'string' ? { ask } : {}),
  };
}

/** The id that is never a label; null: every token may be one. */
function ignored({ ignore }: TaskFields, tokenizer: Tokenizer): number | null {
  if (typeof ignore === 'number') return ignore;
  return ignore === null ? null : tokenizer.unk;
}
