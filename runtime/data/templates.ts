/**
 * Prompt templates: text with `{field}` in it. What stands before `{output}` is the prompt, whose tokens carry no
 * label; the output and what follows it is learned.
 */
import { InputError } from '../input-error.ts';
import type { ChatTemplate, Message } from './chat-template.ts';

export interface Template {
  readonly name: string;
  /** The model's own chat template, in which a record is a conversation; `text` then only says which fields it takes. */
  readonly chat?: ChatTemplate;
  readonly text: string;
  /** Used instead when the record's `input` is missing or empty. */
  readonly withoutInput?: string;
}

const ask = (context: string, input: string): string =>
  `Below is an instruction that describes a task${context}. Write a response that appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n${input}### Response:{output}`;

/**
 * The two Alpaca templates, byte for byte those of LLaMA-Adapter (alpaca_finetuning_v1/finetuning.py): nothing
 * stands between `### Response:` and the output.
 */
export const alpaca: Template = {
  name: 'alpaca',
  text: ask(', paired with an input that provides further context', '### Input:\n{input}\n\n'),
  withoutInput: ask('', ''),
};

/** `template = none`: the parts of an example, one after the other. */
export const bare: Template = { name: 'none', text: '{instruction}{input}{output}' };

/** `template = chat`: the model's own. */
export const chatForm = (chat: ChatTemplate): Template => ({
  name: 'chat',
  text: '{system}{instruction}{input}{output}',
  chat,
});

const templates: ReadonlyMap<string, Template> = new Map(
  [alpaca, bare].map((template) => [template.name, template]),
);

/**
 * The template a spec means: the name of a known one, or a text with `{output}` in it.
 * @throws InputError when it is neither
 */
export function templateOf(value: string): Template {
  const known = templates.get(value);
  if (known) return known;
  const template = { name: 'own', text: value };
  const outputs = parse(value).filter((part) => part.field === 'output').length;
  if (outputs === 1) return template;
  throw new InputError(
    `the template ${JSON.stringify(value)} has ${outputs === 0 ? 'no' : `${outputs} times`} \`{output}\``,
    `write a text such as "### {instruction}###{output}", or the name of a template: ${[...templates.keys(), 'chat'].join(', ')}`,
  );
}

interface TemplatePart {
  readonly text: string;
  readonly field: string | null;
}

/** `{name}` is a field; `{{` and `}}` are braces. */
function parse(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  for (const [found, field] of text.matchAll(/\{\{|\}\}|\{(\w+)\}|[^{}]+|[{}]/gu)) {
    if (field !== undefined) parts.push({ text: '', field });
    else parts.push({ text: found === '{{' ? '{' : found === '}}' ? '}' : found, field: null });
  }
  return parts;
}

/** Whether a template has a place for this field. */
export const takesField = (template: Template, field: string): boolean =>
  parse(template.text).some((part) => part.field === field);

/** Fields of one example, such as `instruction`, `input` and `output`. */
export type TextRecord = Readonly<Record<string, unknown>>;

/**
 * Fills a template in.
 * @param where file and line of the record, for messages
 * @throws InputError for a field that is missing or is not text
 */
export function fill(
  template: Template,
  record: TextRecord,
  where: string,
): { prompt: string; output: string } {
  const parts = parse(variant(template, record));
  const at = parts.findIndex((part) => part.field === 'output');
  const text = (list: readonly TemplatePart[]): string =>
    list.map((part) => (part.field === null ? part.text : fieldOf(record, part.field, where))).join('');
  return { prompt: text(parts.slice(0, at)), output: text(parts.slice(at)) };
}

/**
 * The conversation of one turn that a record is to a chat template: `system`, if there is one, the instruction with the
 * input below it, and the output, if there is one.
 * @throws InputError as `fill` does
 */
export function messagesOf(record: TextRecord, where: string): Message[] {
  const [system, input] = ['system', 'input'].map((field) => fieldOf(record, field, where)) as [
    string,
    string,
  ];
  const instruction = fieldOf(record, 'instruction', where);
  return [
    ...(system === '' ? [] : [{ role: 'system', content: system }]),
    { role: 'user', content: input === '' ? instruction : `${instruction}\n\n${input}` },
    ...(record['output'] === undefined
      ? []
      : [{ role: 'assistant', content: fieldOf(record, 'output', where) }]),
  ];
}

/** The prompt alone, for generating: the record needs no output. @throws InputError as `fill` does */
export function fillPrompt(template: Template, record: TextRecord, where = 'the prompt'): string {
  if (template.chat) return template.chat.render(messagesOf({ ...record, output: undefined }, where), true);
  return fill(template, { ...record, output: '' }, where).prompt;
}

/** As in the official dataset of V1: `ann.get("input", "") == ""` takes the shorter template. */
function variant(template: Template, record: TextRecord): string {
  const empty = record['input'] === undefined || record['input'] === null || record['input'] === '';
  return empty ? (template.withoutInput ?? template.text) : template.text;
}

function fieldOf(record: TextRecord, field: string, where: string): string {
  const value = Object.hasOwn(record, field) ? record[field] : undefined;
  if (typeof value === 'string') return value;
  // Alpaca's records without input may leave it out, and few have a system text.
  if ((field === 'input' || field === 'system') && (value === undefined || value === null)) return '';
  const found = Object.keys(record).join(', ');
  throw new InputError(
    value === undefined
      ? `${where}: no field \`${field}\``
      : `${where}: \`${field}\` is ${describe(value)}, not text`,
    `the record has ${found === '' ? 'no fields' : found}; change the template or the data`,
  );
}

const describe = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : `a ${typeof value}`;
