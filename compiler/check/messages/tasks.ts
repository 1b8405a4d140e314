/** Messages about tasks: what they train, and what they would train in vain. */
import type { Expression, Field, Name, PartItem, TaskItem } from '../../../grammar/ast.ts';
import { error, warning, type Diagnostic, type Fix } from '../../../grammar/diagnostic.ts';
import { printExpression } from '../../../grammar/print.ts';
import type { Span } from '../../../grammar/source.ts';
import type { DataSource } from '../../model/model.ts';
import { addField, insert, remove, replace, withoutTerm } from './edits.ts';
import { asWritten } from './fields.ts';
import { listOf } from './names.ts';

interface Mention {
  readonly item: TaskItem;
  readonly mention: Expression;
}

/** Two tasks, neither of which says that it shares. */
export function trainedTwice(parts: readonly string[], second: Mention, first: Mention): Diagnostic {
  const names = listOf(parts);
  const written = printExpression(second.mention);
  const where = `by \`${first.item.name.text}\``;
  return error(
    'A201',
    second.mention.span,
    `${names} ${parts.length === 1 ? 'is' : 'are'} trained by two tasks`,
    {
      label:
        parts.length === 1 && written === parts[0]
          ? `trained again, by \`${second.item.name.text}\``
          : `contains ${names}`,
      related: [{ span: first.mention.span, label: `first trained here, ${where}` }],
      notes: ['joint training in LLaMA-Adapter V2 updates disjoint groups (section 4.2)'],
      help: `take ${names} out of one task, or write \`shared = true\` in both`,
      edits: [first.item, second.item].flatMap(share),
    },
  );
}

/** A task that is to share says so. */
function share(task: TaskItem): Fix['edits'] {
  const written = task.fields.find((f) => f.name.text === 'shared');
  if (written === undefined) return addField(task, 'shared = true');
  return printExpression(written.value) === 'true' ? [] : replace(written.value.span, 'true');
}

export const trainsNothing = (item: TaskItem): Diagnostic =>
  error('A205', item.trains.span, `\`${item.name.text}\` trains nothing`, { label: 'holds no parameters' });

export const noImagePath = (item: TaskItem, data: DataSource): Diagnostic =>
  error('A209', item.data.span, `\`${item.name.text}\` has images, but no prompt reads one`, {
    label: `\`${data.name}\` is ${data.format}`,
    help: 'add an `encoder`, a `project`, and a `prompt ... from` the projector',
  });

export const imageNowhere = (item: TaskItem, data: DataSource): Diagnostic =>
  warning('A304', item.data.span, `the images of \`${item.name.text}\` enter nowhere`, {
    label: `\`${data.name}\` is ${data.format}`,
    notes: ['the prompt that reads them sits on no layers (`none`), so this task learns without them'],
  });

/** Parts whose loss cannot depend on them: data without images (`blindTo`), or no prompt. */
export const noGradient = (
  mention: Expression,
  item: TaskItem,
  parts: readonly string[],
  blindTo: DataSource | null,
): Diagnostic =>
  error(
    'A203',
    mention.span,
    `${listOf(parts)} ${parts.length === 1 ? 'learns' : 'learn'} nothing from \`${item.name.text}\``,
    {
      label: blindTo === null ? 'no prompt reads it' : `the examples of \`${blindTo.name}\` have no images`,
      help: `take ${listOf(parts)} out of this task, or ${blindTo === null ? 'write a prompt `from` it' : 'give the task `image_text` data'}`,
      edits: withoutTerm(item.trains, mention),
    },
  );

export const neverMoves = (mention: Expression, item: TaskItem, part: string, stuck: string): Diagnostic =>
  error('A204', mention.span, `the gradient of \`${part}\` is zero as long as \`${part}.${stuck}\` is`, {
    label: `\`${item.name.text}\` leaves \`${part}.${stuck}\` at zero`,
    help: `train all of \`${part}\``,
    edits: printExpression(mention).startsWith(`${part}.`) ? replace(mention.span, part) : [],
  });

export const meaninglessField = (field: Field, data: DataSource, task: string): Diagnostic =>
  error('A210', field.span, `\`${field.name.text}\` says nothing about ${data.format} data`, {
    label: `\`${task}\` reads \`${data.name}\``,
    help: `take \`${asWritten(field)}\` away`,
    edits: remove(field.span),
  });

export function badPlaceholder(field: Field, span: Span, name: string, count: number): Diagnostic {
  const { value } = field;
  const quoted = name === 'output' && value.kind === 'string' && value.value === 'alpaca';
  const message = `\`${field.name.text}\` has ${count === 0 ? 'no' : `${count} times`} \`{${name}}\``;
  return error('A133', span, message, {
    help: quoted
      ? 'write `alpaca` without quotes: the template of that name'
      : `write \`{${name}}\` once, where it belongs`,
    // Before the closing quote: an answer comes after what leads up to it.
    edits: quoted
      ? replace(value.span, 'alpaca')
      : count === 0
        ? insert(span, span.end - 1, ` {${name}}`)
        : [],
  });
}

export const nothingTrains = (item: PartItem): Diagnostic =>
  warning('A302', item.name.span, `nothing trains \`${item.name.text}\``, {
    help: 'name it in a task or in a group that a task trains, or drop it',
  });

export const emptyTest = (field: Field): Diagnostic =>
  error('A223', field.span, '`test` names no data', {
    help: 'name a data source, or leave `test` away',
    edits: remove(field.span),
  });

/** Test data whose examples are not of the kind that the task is trained on. */
export const otherShape = (name: Name, source: DataSource, item: TaskItem, data: DataSource): Diagnostic =>
  error('A223', name.span, `\`${item.name.text}\` cannot be tested on \`${name.text}\``, {
    label: `${source.format} data`,
    related: [{ span: item.data.span, label: `it is trained on ${data.format} data` }],
    help: `give \`${item.name.text}\` ${data.format} data that it is not trained on`,
  });

/** Text with images, and nobody to look at them. */
export const blindTest = (name: Name, source: DataSource, item: TaskItem): Diagnostic =>
  error('A223', name.span, `\`${name.text}\` has images, but no prompt reads one`, {
    label: `${source.format} data`,
    help: `test \`${item.name.text}\` on text alone, or add an \`encoder\`, a \`project\`, and a \`prompt ... from\` the projector`,
  });
