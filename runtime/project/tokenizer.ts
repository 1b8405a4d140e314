/** The tokenizer that a base names. */
import { InputError } from '../input-error.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { HostedModel } from './spec.ts';

/** @throws InputError when the base names no tokenizer, or one of more tokens than the base has */
export async function tokenizerOf({ host, model: { base } }: HostedModel): Promise<Tokenizer> {
  if (base.tokenizer === undefined)
    throw new InputError(
      `the base \`${base.name}\` names no tokenizer`,
      'write `tokenizer = "FILE"` in the base',
    );
  const tokenizer = await host.openTokenizer(base.tokenizer, base.weights);
  if (tokenizer.vocabSize <= base.vocab) return tokenizer;
  throw new InputError(
    `${base.tokenizer} has ${tokenizer.vocabSize} tokens, the base \`${base.name}\` ${base.vocab}`,
    'use the tokenizer the base was trained with, or correct `vocab`',
  );
}
