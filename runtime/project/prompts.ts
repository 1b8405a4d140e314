/** Questions as prompts: with what the experts said beside them, as tokens, and no longer than the base can read. */
import type { Model } from '../../compiler/model/model.ts';
import { contextFor } from '../experts/context.ts';
import type { Answer } from '../experts/expert.ts';
import { InputError } from '../input-error.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { promptFor, promptIds, type Question } from './questions.ts';
import type { HostedModel } from './spec.ts';

export interface Prompt {
  readonly text: string;
  readonly ids: readonly number[];
  /** The same without what the experts said. */
  readonly bare: string;
}

/**
 * The prompt of a question. An expert's text that would not fit any more is left out, the last expert's first.
 * @param answers of the experts about the question's image
 * @throws InputError when the question alone is too long
 */
export function makePrompt(
  { host, model }: HostedModel,
  tokenizer: Tokenizer,
  question: Question,
  answers: readonly Answer[],
): Prompt {
  const bare = promptFor(question, tokenizer);
  const used = answers.filter(({ text }) => text !== '');
  for (;;) {
    const text = promptFor(question, tokenizer, contextFor(model.experts, used));
    const ids = promptIds(question, tokenizer, text);
    if (ids.length < model.base.context || used.length === 0) {
      requireRoom(model, text, ids);
      return { text, ids, bare };
    }
    host.warn(
      `expert ${used.pop()?.name} is left out: with it the prompt has ${ids.length} tokens, the context of \`${model.base.name}\` ${model.base.context}; give it a smaller \`length\``,
    );
  }
}

function requireRoom({ base }: Model, text: string, ids: readonly number[]): void {
  if (ids.length === 0) throw new InputError('a prompt has no tokens', 'give at least one character');
  if (ids.length >= base.context)
    throw new InputError(
      `the prompt ${JSON.stringify(text.slice(0, 40))}... has ${ids.length} tokens, the context of \`${base.name}\` ${base.context}`,
      'shorten it',
    );
}
