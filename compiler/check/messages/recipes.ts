/** Messages about recipes. */
import type { Field, Name, RecipeDeclaration } from '../../../grammar/ast.ts';
import { error, warning, type Diagnostic } from '../../../grammar/diagnostic.ts';
import type { Span } from '../../../grammar/source.ts';
import type { Duration } from '../../model/model.ts';
import { addField, remove } from './edits.ts';
import { listOf, suggest } from './names.ts';

export const unknownTask = (
  task: string,
  span: Span,
  adapter: string,
  known: readonly string[],
): Diagnostic =>
  error(
    'A206',
    span,
    `\`${adapter}\` has no task \`${task}\``,
    suggest({ text: task, span }, known, 'tasks'),
  );

/** Five epochs are those of LLaMA-Adapter: a number to start from. */
export const noDuration = (recipe: RecipeDeclaration): Diagnostic =>
  error('A208', recipe.name.span, `\`${recipe.name.text}\` never ends`, {
    help: 'write `epochs = ...` or `steps = ...`, such as `epochs = 5`',
    edits: addField(recipe, 'epochs = 5'),
  });

export const twoDurations = (name: Name, epochs: Field | undefined, steps: Field | undefined): Diagnostic =>
  error('A208', (steps ?? name).span, `\`${name.text}\` has both epochs and steps`, {
    related: epochs === undefined ? [] : [{ span: epochs.span, label: 'the epochs' }],
    help: 'take one of them away',
  });

export const idleMix = (span: Span, recipe: string, mix: Field | undefined): Diagnostic =>
  error('A213', span, `\`${recipe}\` trains no task`, {
    label: 'every count is zero',
    help: 'give a task a count above zero, or leave `mix` away',
    edits: mix === undefined ? [] : remove(mix.span),
  });

const lengthText = ({ value, unit }: Duration): string =>
  `${Number(value.toPrecision(3))} ${value === 1 ? unit.slice(0, -1) : unit}`;

export const longWarmup = (span: Span, warmup: Duration, length: Duration): Diagnostic =>
  warning(
    'A306',
    span,
    `the warm-up of ${lengthText(warmup)} is longer than the run of ${lengthText(length)}`,
    {
      label: 'the learning rate never gets to what it is to be',
      help: 'write a shorter one, such as `warmup: 10%`',
    },
  );

export const untrainedTask = (tasks: readonly string[], span: Span, recipe: string): Diagnostic =>
  warning('A303', span, `\`${recipe}\` never trains ${listOf(tasks)}`, { help: 'name it in `mix`' });
