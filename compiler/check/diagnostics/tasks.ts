/** Tasks: what they train, and what they would train in vain. */
import type { Expression, PartItem, TaskItem } from '../../../grammar/ast.ts';
import type { Diagnostic, Fix } from '../../../grammar/diagnostic.ts';
import { entry } from '../../../grammar/entry.ts';
import { printExpression } from '../../../grammar/print.ts';
import type { DataSource } from '../../model/model.ts';
import { addField, replace, withoutTerm } from './edits.ts';
import { biases, withData } from './examples.ts';
import { listOf } from './phrases.ts';

interface Mention {
  readonly item: TaskItem;
  readonly mention: Expression;
}

export const A201 = entry({
  code: 'A201',
  severity: 'error',
  title: 'trained by two tasks',
  text: `
    Joint training in LLaMA-Adapter V2 works because each kind of data updates parameters of its own (section 4.2 of the
    paper). So a parameter belongs to one task. When two tasks are to train the same ones, as an experiment without
    disjoint groups does, both say \`shared = true\`.`,
  bad: withData(`
      bias biases on every linear
      task first_half  on instructions trains biases
      task second_half on instructions trains biases`),
  good: withData(`
      bias biases on every linear
      task first_half  on instructions trains biases { shared = true }
      task second_half on instructions trains biases { shared = true }`),
});

/** Two tasks, neither of which says that it shares. */
export function trainedTwice(parts: readonly string[], second: Mention, first: Mention): Diagnostic {
  const names = listOf(parts);
  const written = printExpression(second.mention);
  const where = `by \`${first.item.name.text}\``;
  return A201.at(second.mention.span, `${names} ${parts.length === 1 ? 'is' : 'are'} trained by two tasks`, {
    label:
      parts.length === 1 && written === parts[0]
        ? `trained again, by \`${second.item.name.text}\``
        : `contains ${names}`,
    related: [{ span: first.mention.span, label: `first trained here, ${where}` }],
    notes: ['joint training in LLaMA-Adapter V2 updates disjoint groups (section 4.2)'],
    help: `take ${names} out of one task, or write \`shared = true\` in both`,
    edits: [first.item, second.item].flatMap(share),
  });
}

/** A task that is to share says so. */
function share(task: TaskItem): Fix['edits'] {
  const written = task.fields.find((f) => f.name.text === 'shared');
  if (written === undefined) return addField(task, 'shared = true');
  return printExpression(written.value) === 'true' ? [] : replace(written.value.span, 'true');
}

export const A203 = entry({
  code: 'A203',
  severity: 'error',
  title: 'a task from which a part learns nothing',
  text: `
    The loss of this task does not depend on these parameters: the examples have no images, or no prompt reads the
    projector. Their gradient is zero whatever the numbers are. Name only parts that the task reaches.`,
  bad: withData(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[first 1] from visual
      group   seeing = image + visual
      task    instruct on instructions trains seeing`),
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

/** Parts whose loss cannot depend on them: data without images (`blindTo`), or no prompt. */
export const noGradient = (
  mention: Expression,
  item: TaskItem,
  parts: readonly string[],
  blindTo: DataSource | null,
): Diagnostic =>
  A203.at(
    mention.span,
    `${listOf(parts)} ${parts.length === 1 ? 'learns' : 'learn'} nothing from \`${item.name.text}\``,
    {
      label: blindTo === null ? 'no prompt reads it' : `the examples of \`${blindTo.name}\` have no images`,
      help: `take ${listOf(parts)} out of this task, or ${blindTo === null ? 'write a prompt `from` it' : 'give the task `image_text` data'}`,
      edits: withoutTerm(item.trains, mention),
    },
  );

export const A204 = entry({
  code: 'A204',
  severity: 'error',
  title: 'a gradient that stays zero',
  text: `
    The trained parameters are multiplied by others that start at zero and that no one moves: the gates of a prompt, or
    the second matrix of a LoRA. Train the whole part, or start the frozen factor elsewhere.`,
  bad: withData(`
      prompt words on layers { length = 10  gate = tanh(init: 0) }
      task   instruct on instructions trains words.prompt`),
  good: withData(`
      prompt words on layers { length = 10  gate = tanh(init: 0) }
      task   instruct on instructions trains words`),
});

export const neverMoves = (mention: Expression, item: TaskItem, part: string, stuck: string): Diagnostic =>
  A204.at(mention.span, `the gradient of \`${part}\` is zero as long as \`${part}.${stuck}\` is`, {
    label: `\`${item.name.text}\` leaves \`${part}.${stuck}\` at zero`,
    help: `train all of \`${part}\``,
    edits: printExpression(mention).startsWith(`${part}.`) ? replace(mention.span, part) : [],
  });

export const A205 = entry({
  code: 'A205',
  severity: 'error',
  title: 'a task that trains nothing',
  text: `
    What stands after \`trains\` holds no parameter: parts on no layers, an encoder, or a difference that leaves nothing.`,
  bad: withData(`
      bias biases on every linear
      task instruct on instructions trains biases - biases`),
  good: withData(biases),
});

export const trainsNothing = (item: TaskItem): Diagnostic =>
  A205.at(item.trains.span, `\`${item.name.text}\` trains nothing`, { label: 'holds no parameters' });

export const A302 = entry({
  code: 'A302',
  severity: 'warning',
  title: 'nothing trains a part',
  text: `
    No task names this part, nor a group that holds it, so it stays as it was made. That costs time and changes nothing,
    unless its initial numbers do.`,
  bad: withData(`
      bias  biases on every linear
      scale scales on every linear
      task  instruct on instructions trains biases`),
  good: withData(`
      bias  biases on every linear
      scale scales on every linear
      task  instruct on instructions trains biases + scales`),
});

export const nothingTrains = (item: PartItem): Diagnostic =>
  A302.at(item.name.span, `nothing trains \`${item.name.text}\``, {
    help: 'name it in a task or in a group that a task trains, or drop it',
  });
