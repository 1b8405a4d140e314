/** Experts: models that turn an image into text beside the question. Checked here, built elsewhere. */
import type { ExpertItem } from '../../grammar/ast.ts';
import { choice } from '../kinds/fields.ts';
import type { Field } from '../kinds/kind.ts';
import type { Env } from './env.ts';
import { readFields } from './fields.ts';
import { checkPlaceholder } from './tasks.ts';

/** The attributes of an expert. */
export const expertFields: Readonly<Record<string, Field>> = {
  reads: { type: choice('image'), default: 'image', doc: 'What it is given.' },
  say: {
    type: { kind: 'string' },
    default: '{text}',
    doc: 'How its answer is put to the model; {text} is the answer.',
  },
};

/** Checks an expert's attributes. */
export function checkExpert(env: Env, item: ExpertItem): void {
  const { written } = readFields(env, item.fields, expertFields, 'expert', item.name.span);
  checkPlaceholder(env, written.get('say'), 'text');
}
