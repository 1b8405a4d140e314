/** What a task's attributes mean for its examples, wherever they are loaded. */
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { LoadOptions } from './formats.ts';
import { modelChat } from './model-chat.ts';
import { type Template, templateOf } from './templates.ts';

/** `fields` of a task in a spec or a manifest; `none` in the spec is null in them. */
export type TaskFields = Readonly<Record<string, unknown>>;

/** Whether a task's examples go into the model's own chat template. */
export const asksForChat = ({ template }: TaskFields): boolean => template === 'chat';

/** How examples become text. @throws InputError when it is the model's chat template, and the model has none */
export function templateFor(fields: TaskFields, tokenizer: Tokenizer): Template {
  if (asksForChat(fields)) return modelChat(tokenizer).template;
  const { template } = fields;
  return templateOf(typeof template === 'string' ? template : 'none');
}

/** Template, border, question and ignored token, and the tokenizer as the template ends answers; plain text has neither a template nor a border. */
export function rulesFor(
  fields: TaskFields,
  plainText: boolean,
  tokenizer: Tokenizer,
): Pick<LoadOptions, 'template' | 'border' | 'ask' | 'tokenizer'> & { readonly ignoreId: number | null } {
  const { ask, border } = fields;
  return {
    tokenizer: asksForChat(fields) ? modelChat(tokenizer).tokenizer : tokenizer,
    ignoreId: ignored(fields, tokenizer),
    ...(plainText
      ? {}
      : { template: templateFor(fields, tokenizer), border: border === 'joined' ? 'joined' : 'apart' }),
    ...(typeof ask === 'string' ? { ask } : {}),
  };
}

/** The id that is never a label; null: every token may be one. */
function ignored({ ignore }: TaskFields, tokenizer: Tokenizer): number | null {
  if (typeof ignore === 'number') return ignore;
  return ignore === null ? null : tokenizer.unk;
}
