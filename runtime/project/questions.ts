/** What `generate` is asked to continue: instructions in a task's template, and texts as they are. */
import { showsImages } from '../../compiler/compile/tasks.ts';
import type { Model, Task } from '../../compiler/model/model.ts';
import { encodePrompt } from '../data/encode.ts';
import { CAPTION_QUESTION } from '../data/encode-records.ts';
import { type TaskFields, templateFor } from '../data/rules.ts';
import { fillPrompt } from '../data/templates.ts';
import { withContext } from '../experts/context.ts';
import { InputError } from '../input-error.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { HostedModel } from './spec.ts';

/** An instruction with the task it is asked as; null: the text is the prompt as it is. */
export interface Question {
  readonly task: { readonly name: string; readonly fields: TaskFields } | null;
  readonly text: string;
}

/** The task of this name; without one the first that shows images if there is one, and the first that does not if not. */
export function taskNamed(model: Model, name: string | undefined, image: boolean): Task | undefined {
  if (name !== undefined) return model.tasks.find((t) => t.name === name);
  return model.tasks.find((t) => showsImages(model, t.name) === image) ?? model.tasks[0];
}

/** Answering without an image is possible everywhere, and seldom meant where all that was learned had one. */
export function tellImage({ host, model }: HostedModel): void {
  if (model.tasks.length > 0 && model.tasks.every((task) => showsImages(model, task.name)))
    host.warn(
      `no image is given, although every task of \`${model.name}\` shows one: give one with --image FILE`,
    );
}

/** An instruction for a task, or with null the question that the task itself puts to an image. */
export function questionFor(
  model: Model,
  instruction: string | null,
  { task: name, image }: { readonly task?: string | undefined; readonly image: boolean },
): Question {
  const task = taskNamed(model, name, image);
  if (!task)
    throw new InputError(
      name === undefined
        ? `\`${model.name}\` has no task, so no template`
        : `\`${model.name}\` has no task \`${name}\``,
      'use --prompt for text as it is',
    );
  return { task, text: instruction ?? askOf(task.fields) };
}

/** What a task asks about every image. */
export const askOf = ({ ask }: TaskFields): string => (typeof ask === 'string' ? ask : CAPTION_QUESTION);

/** The prompt, with what experts said beside the question; a text as it is has no place for that. */
export function promptFor({ task, text }: Question, tokenizer: Tokenizer, context = ''): string {
  if (task === null) return text;
  const template = templateFor(task.fields, tokenizer);
  return fillPrompt(template, withContext(template, { instruction: text }, context));
}

/** The tokens of a prompt that `promptFor` made. */
export const promptIds = ({ task }: Question, tokenizer: Tokenizer, prompt: string): number[] =>
  encodePrompt(tokenizer, prompt, task === null ? undefined : templateFor(task.fields, tokenizer));
