/** The tokenizer that a base names. */
import { modelChat } from '../data/model-chat.ts';
import { asksForChat } from '../data/rules.ts';
import { InputError } from '../input-error.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { HostedModel } from './spec.ts';

/**
 * The tokenizer; where a task has the model's chat template, with the token that ends a turn among its ends.
 * @throws InputError when the base names no tokenizer, or one of more tokens than the base has, and when a task asks for a
 * chat template that is not there
 */
export async function tokenizerOf({ host, model: { base, tasks } }: HostedModel): Promise<Tokenizer> {
  if (base.tokenizer === undefined)
    throw new InputError(
      `the base \`${base.name}\` names no tokenizer`,
      'write `tokenizer = "FILE"` in the base',
    );
  const tokenizer = await host.openTokenizer(base.tokenizer, base.weights);
  if (tokenizer.vocabSize <= base.vocab)
    return tasks.some(({ fields }) => asksForChat(fields)) ? modelChat(tokenizer).tokenizer : tokenizer;
  throw new InputError(
    `${base.tokenizer} has ${tokenizer.vocabSize} tokens, the base \`${base.name}\` ${base.vocab}`,
    'use the tokenizer the base was trained with, or correct `vocab`',
  );
}
