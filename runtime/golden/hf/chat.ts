/** Chat templates: conversations as transformers' `apply_chat_template` renders them. */
import { chatTemplate, type Message } from '../../data/chat-template.ts';
import { readJson } from '../../files.ts';
import { InputError } from '../../input-error.ts';
import type { Report } from '../compare.ts';

/** A file of a template and of conversations. */
export interface RecordedChat {
  readonly bos_token: string | null;
  readonly eos_token: string | null;
  readonly chat_template: string;
  readonly cases: readonly {
    readonly messages: readonly Message[];
    readonly add_generation_prompt: boolean;
    readonly kwargs: Readonly<Record<string, unknown>>;
    readonly expected?: string;
    /** What the template says where it refuses the conversation. */
    readonly error?: string;
  }[];
}

export async function runChat(file: string, report: Report): Promise<void> {
  const recorded = (await readJson(file)) as RecordedChat;
  const { bos_token: bos, eos_token: eos } = recorded;
  const template = chatTemplate(recorded.chat_template, { bos, eos, ends: eos === null ? [] : [eos] }, file);
  recorded.cases.forEach(({ messages, add_generation_prompt: reply, kwargs, expected, error }, i) => {
    const where = `case ${i}`;
    const rendered = attempt(() => template.render(messages, reply, kwargs));
    if (expected !== undefined) report.same('texts', rendered.text, expected, where);
    else
      report.same(
        'texts',
        error !== undefined && rendered.refusal?.includes(error),
        true,
        `${where}, which is refused`,
      );
  });
}

function attempt(render: () => string): { readonly text?: string; readonly refusal?: string } {
  try {
    return { text: render() };
  } catch (cause) {
    if (cause instanceof InputError) return { refusal: cause.message };
    throw cause;
  }
}
