/** Tasks and their data: templates, images, and what a task is tested on. */
import type { Field, Name, TaskItem } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama } from '../../../grammar/entry.ts';
import type { Span } from '../../../grammar/source.ts';
import type { DataSource } from '../../model/model.ts';
import { addField, insert, remove, replace } from './edits.ts';
import { biases, withData } from './examples.ts';
import { asWritten } from './phrases.ts';

export const A133 = entry({
  code: 'A133',
  severity: 'error',
  title: 'a string without its placeholder',
  text: `
    A template is filled in with an example, so it says once where the output goes: what stands before it is the prompt,
    which is not learned. An expert's answer takes the place of {text} in \`say\`.`,
  bad: onLlama('expert ocr { say = "Text in the image:" }'),
  good: onLlama('expert ocr { say = "Text in the image: {text}" }'),
});

export function badPlaceholder(field: Field, span: Span, name: string, count: number): Diagnostic {
  const { value } = field;
  const known = value.kind === 'string' ? ['alpaca', 'chat'].find((one) => one === value.value) : undefined;
  const quoted = name === 'output' ? known : undefined;
  const message = `\`${field.name.text}\` has ${count === 0 ? 'no' : `${count} times`} \`{${name}}\``;
  return A133.at(span, message, {
    help: quoted
      ? `write \`${quoted}\` without quotes: the template of that name`
      : `write \`{${name}}\` once, where it belongs`,
    // Before the closing quote: an answer comes after what leads up to it.
    edits: quoted ? replace(value.span, quoted) : count === 0 ? insert(span, span.end - 1, ` {${name}}`) : [],
  });
}

export const A209 = entry({
  code: 'A209',
  severity: 'error',
  title: 'images that nothing reads',
  text: `
    A task on images needs a way from the image into the base: an encoder, a projector that reads it, and a prompt that
    reads the projector and sits in a layer or on the input.`,
  bad: `
    import "bases.adapter"

    data pairs = image_text("captions.jsonl")

    adapter Example on llama7b {
      bias biases on every linear
      task caption on pairs trains biases
    }`,
  good: `
    import "bases.adapter"

    data pairs = image_text("captions.jsonl")

    adapter Example on llama7b {
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[first 1] from visual
      task    caption on pairs trains image + visual
    }`,
});

export const noImagePath = (item: TaskItem, data: DataSource): Diagnostic =>
  A209.at(item.data.span, `\`${item.name.text}\` has images, but no prompt reads one`, {
    label: `\`${data.name}\` is ${data.format}`,
    help: 'add an `encoder`, a `project`, and a `prompt ... from` the projector',
  });

export const A210 = entry({
  code: 'A210',
  severity: 'error',
  title: 'an attribute that says nothing about the data',
  text: `
    Plain text has no prompt and no answer, so templates and masks do not apply to it; and only images are asked
    about.`,
  bad: withData(`
      bias biases on every linear
      task instruct on instructions trains biases { ask = "What is this?" }`),
  good: withData(biases),
});

export const meaninglessField = (field: Field, data: DataSource, task: string): Diagnostic =>
  A210.at(field.span, `\`${field.name.text}\` says nothing about ${data.format} data`, {
    label: `\`${task}\` reads \`${data.name}\``,
    help: `take \`${asWritten(field)}\` away`,
    edits: remove(field.span),
  });

export const A223 = entry({
  code: 'A223',
  severity: 'error',
  title: 'test data that does not fit the task',
  text: `
    Test data is read as the task reads its own: by the same template, with the same question. So instructions are tested
    on instructions, text on text and images on images. Instructions may also be tested on \`image_text\` data, which shows
    what an attached image does to them, when the adapter looks at images.`,
  bad: `
    import "bases.adapter"

    data instructions = alpaca("alpaca.json")
    data heldout      = text("heldout.txt")

    adapter Example on llama7b {
      bias biases on every linear
      task instruct on instructions trains biases { test = heldout }
    }`,
  good: `
    import "bases.adapter"

    data instructions = alpaca("alpaca.json")
    data heldout      = alpaca("heldout.json")

    adapter Example on llama7b {
      bias biases on every linear
      task instruct on instructions trains biases { test = heldout }
    }`,
});

export const emptyTest = (field: Field): Diagnostic =>
  A223.at(field.span, '`test` names no data', {
    help: 'name a data source, or leave `test` away',
    edits: remove(field.span),
  });

/** Test data whose examples are not of the kind that the task is trained on. */
export const otherShape = (name: Name, source: DataSource, item: TaskItem, data: DataSource): Diagnostic =>
  A223.at(name.span, `\`${item.name.text}\` cannot be tested on \`${name.text}\``, {
    label: `${source.format} data`,
    related: [{ span: item.data.span, label: `it is trained on ${data.format} data` }],
    help: `give \`${item.name.text}\` ${data.format} data that it is not trained on`,
  });

/** Text with images, and nobody to look at them. */
export const blindTest = (name: Name, source: DataSource, item: TaskItem): Diagnostic =>
  A223.at(name.span, `\`${name.text}\` has images, but no prompt reads one`, {
    label: `${source.format} data`,
    help: `test \`${item.name.text}\` on text alone, or add an \`encoder\`, a \`project\`, and a \`prompt ... from\` the projector`,
  });

export const A224 = entry({
  code: 'A224',
  severity: 'error',
  title: 'conversations without a template of turns',
  text: `
    The records of \`chat\` data are conversations of any number of turns. How a turn is written is up to the model:
    \`template = chat\` takes the chat template that came with it. A base without one can be given the text of one turn
    instead, in which {instruction} is what the user says and {output} the answer; it is written once for each turn.`,
  bad: `
    import "bases.adapter"

    data talks = chat("talks.jsonl")

    adapter Example on llama7b {
      bias biases on every linear
      task talk on talks trains biases
    }`,
  good: `
    import "bases.adapter"

    data talks = chat("talks.jsonl")

    adapter Example on llama7b {
      bias biases on every linear
      task talk on talks trains biases { template = chat }
    }`,
});

/** Conversations and no template that says how turns are written: Alpaca's is of one question and one answer. */
export const noTurns = (item: TaskItem, data: DataSource): Diagnostic =>
  A224.at(item.data.span, `\`${item.name.text}\` reads conversations and names no template`, {
    label: `\`${data.name}\` is ${data.format} data`,
    help: 'write `template = chat`, the template of the model itself, or the text of one turn, such as "User: {instruction}\\nAnswer: {output}"',
    edits: addField(item, 'template = chat'),
  });

export const A304 = entry({
  code: 'A304',
  severity: 'warning',
  title: 'images that enter nowhere',
  text: `
    The prompt that reads an image sits on no layers, since its selector is \`none\`. That is how a sweep over the layers of
    an image begins: the task learns its words without looking. Encoder, projector and prompt are left out, so a task
    that trains nothing else is an error.`,
  bad: `
    import "bases.adapter"

    data pairs = image_text("captions.jsonl")

    adapter Example on llama7b {
      bias    biases on every linear
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[none] from visual
      task    caption on pairs trains biases + visual + image
    }`,
  good: `
    import "bases.adapter"

    data pairs = image_text("captions.jsonl")

    adapter Example on llama7b {
      bias    biases on every linear
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[first 1] from visual
      task    caption on pairs trains biases + visual + image
    }`,
});

export const imageNowhere = (item: TaskItem, data: DataSource): Diagnostic =>
  A304.at(item.data.span, `the images of \`${item.name.text}\` enter nowhere`, {
    label: `\`${data.name}\` is ${data.format}`,
    notes: ['the prompt that reads them sits on no layers (`none`), so this task learns without them'],
  });
