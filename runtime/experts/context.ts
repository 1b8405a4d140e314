/** Where experts' texts go: the textual context beside the question (LLaMA-Adapter V2, arXiv 2304.15010, section 4.4). */
import { takesField, type Template, type TextRecord } from '../data/templates.ts';
import type { Answer } from './expert.ts';

/**
 * The textual context: a line for every expert that has a text, in the order of the spec.
 * @param experts names and `say`, as the Model or a manifest has them
 * @param answers by name; what else an answer holds does not matter, so texts can be made up
 */
export function contextFor(
  experts: readonly { readonly name: string; readonly say: string }[],
  answers: readonly Pick<Answer, 'name' | 'text'>[],
): string {
  const texts = new Map(answers.map(({ name, text }) => [name, text]));
  return experts
    .flatMap(({ name, say }) => {
      const text = texts.get(name) ?? '';
      return text === '' ? [] : [say.split('{text}').join(text)];
    })
    .join('\n');
}

/**
 * A record with the textual context beside its question: in `input` where the template has a place for it, after an
 * input that is there already; in front of the instruction otherwise. Without a context the record stays as it is.
 */
export function withContext(template: Template, record: TextRecord, context: string): TextRecord {
  if (context === '') return record;
  const join = (...texts: unknown[]): string =>
    texts.filter((text) => typeof text === 'string' && text !== '').join('\n');
  return takesField(template, 'input')
    ? { ...record, input: join(record['input'], context) }
    : { ...record, instruction: join(context, record['instruction']) };
}
