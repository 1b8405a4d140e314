/** The chat template that came with a tokenizer, ready to be used: `template = chat` of a task. */
import { InputError } from '../input-error.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { chatTemplate } from './chat-template.ts';
import { chatForm, type Template } from './templates.ts';

export interface ModelChat {
  readonly template: Template;
  /** The tokenizer, to which the token that ends a turn ends an answer too, whatever the model's files say. */
  readonly tokenizer: Tokenizer;
}

const known = new WeakMap<Tokenizer, ModelChat>();

/** @throws InputError when the model has no chat template, or one that cannot be read */
export function modelChat(tokenizer: Tokenizer): ModelChat {
  const found = known.get(tokenizer) ?? open(tokenizer);
  known.set(tokenizer, found);
  known.set(found.tokenizer, found);
  return found;
}

function open(tokenizer: Tokenizer): ModelChat {
  const { chat, file = 'the tokenizer' } = tokenizer;
  if (!chat)
    throw new InputError(
      `${file} has no chat template, which \`template = chat\` asks for`,
      tokenizer.format === 'huggingface'
        ? 'put the model\'s tokenizer_config.json (with `chat_template`) or chat_template.jinja beside it, or write a template in the task, such as "{instruction}{output}"'
        : "give the model's tokenizer.json as `tokenizer`, with its tokenizer_config.json beside it, or write a template in the task",
    );
  const { special, bos, eos } = chat;
  const textOf = new Map([...special].map(([text, id]) => [id, text]));
  const ends = [...tokenizer.ends].flatMap((id) => textOf.get(id) ?? []);
  const made = chatTemplate(chat.template, { bos, eos, ends, special: [...special.keys()] }, file);
  const ids = made.ends.flatMap((text) => special.get(text) ?? []);
  return {
    template: chatForm(made),
    tokenizer: { ...tokenizer, ends: new Set([...tokenizer.ends, ...ids]) },
  };
}
