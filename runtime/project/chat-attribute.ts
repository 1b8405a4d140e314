/** The model's chat template among the attributes that an adapter file keeps: another one is another prompt. */
import type { Attributes } from '../../compiler/package/package.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { CHAT_TEMPLATE } from '../weights/attributes.ts';

/** The attributes with the template's text in every task that asks for the model's own. */
export function withChatTemplate(attributes: Attributes, { chat }: Tokenizer): Attributes {
  if (!chat) return attributes;
  const tasks = Object.entries(attributes.tasks).map(([task, values]) => [
    task,
    values['template'] === 'chat' ? { ...values, [CHAT_TEMPLATE]: chat.template } : values,
  ]);
  return { ...attributes, tasks: Object.fromEntries(tasks) as Attributes['tasks'] };
}
