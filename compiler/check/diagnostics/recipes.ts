/** Recipes. */
import type { Field, Name, RecipeDeclaration } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry } from '../../../grammar/entry.ts';
import type { Span } from '../../../grammar/source.ts';
import type { Duration } from '../../model/recipe.ts';
import { addField, remove } from './edits.ts';
import { biases, withData } from './examples.ts';
import { listOf, suggest } from './phrases.ts';

export const A206 = entry({
  code: 'A206',
  severity: 'error',
  title: 'a recipe names an unknown task',
  text: `
    The names in \`mix\` are tasks of the adapter that the recipe is for.`,
  bad: withData(biases, `recipe joint for Example { mix = alternate(instruction: 1)  epochs = 5 }`),
  good: withData(biases, `recipe joint for Example { mix = alternate(instruct: 1)  epochs = 5 }`),
});

export const unknownTask = (
  task: string,
  span: Span,
  adapter: string,
  known: readonly string[],
): Diagnostic =>
  A206.at(span, `\`${adapter}\` has no task \`${task}\``, suggest({ text: task, span }, known, 'tasks'));

export const A208 = entry({
  code: 'A208',
  severity: 'error',
  title: 'a recipe needs epochs or steps',
  text: `
    A recipe says how long it trains, once: \`epochs\` are passes over the data, \`steps\` are updates of the optimizer.`,
  bad: withData(biases, `recipe short for Example { batch = 4 }`),
  good: withData(biases, `recipe short for Example { batch = 4  steps = 100 }`),
});

/** Five epochs are those of LLaMA-Adapter: a number to start from. */
export const noDuration = (recipe: RecipeDeclaration): Diagnostic =>
  A208.at(recipe.name.span, `\`${recipe.name.text}\` never ends`, {
    help: 'write `epochs = ...` or `steps = ...`, such as `epochs = 5`',
    edits: addField(recipe, 'epochs = 5'),
  });

export const twoDurations = (name: Name, epochs: Field | undefined, steps: Field | undefined): Diagnostic =>
  A208.at((steps ?? name).span, `\`${name.text}\` has both epochs and steps`, {
    related: epochs === undefined ? [] : [{ span: epochs.span, label: 'the epochs' }],
    help: 'take one of them away',
  });

export const A213 = entry({
  code: 'A213',
  severity: 'error',
  title: 'a mix that trains no task',
  text: `
    The counts in \`mix\` say how often each task has its turn. A count of zero leaves a task out, but when every count is
    zero, no turn is left. Leave \`mix\` away to have all tasks take turns.`,
  bad: withData(biases, `recipe idle for Example { mix = alternate(instruct: 0)  epochs = 5 }`),
  good: withData(biases, `recipe busy for Example { mix = alternate(instruct: 1)  epochs = 5 }`),
});

export const idleMix = (span: Span, recipe: string, mix: Field | undefined): Diagnostic =>
  A213.at(span, `\`${recipe}\` trains no task`, {
    label: 'every count is zero',
    help: 'give a task a count above zero, or leave `mix` away',
    edits: mix === undefined ? [] : remove(mix.span),
  });

export const A303 = entry({
  code: 'A303',
  severity: 'warning',
  title: 'a recipe that leaves a task out',
  text: `
    \`mix\` names some tasks of the adapter but not all, so those left out never train. Leave \`mix\` away to have all of
    them take turns.`,
  bad: withData(
    `
      bias  biases on every linear
      scale scales on every linear
      task  shift   on instructions trains biases
      task  stretch on instructions trains scales`,
    `recipe half for Example { mix = alternate(shift: 1)  epochs = 5 }`,
  ),
  good: withData(
    `
      bias  biases on every linear
      scale scales on every linear
      task  shift   on instructions trains biases
      task  stretch on instructions trains scales`,
    `recipe both for Example { mix = alternate(shift: 1, stretch: 1)  epochs = 5 }`,
  ),
});

export const untrainedTask = (tasks: readonly string[], span: Span, recipe: string): Diagnostic =>
  A303.at(span, `\`${recipe}\` never trains ${listOf(tasks)}`, { help: 'name it in `mix`' });

export const A306 = entry({
  code: 'A306',
  severity: 'warning',
  title: 'a warm-up longer than the run',
  text: `
    The learning rate rises for as long as \`warmup\` says, and the run ends before it has arrived. A share, such as
    \`warmup: 10%\`, goes with any length. Where the run is written in epochs and the warm-up in steps, how long the run is
    depends on the data, and \`graft train\` says this instead.`,
  bad: withData(
    `
      bias biases on every linear
      task instruct on instructions trains biases`,
    `recipe short for Example { schedule = cosine(warmup: 100 steps)  steps = 50 }`,
  ),
  good: withData(
    `
      bias biases on every linear
      task instruct on instructions trains biases`,
    `recipe short for Example { schedule = cosine(warmup: 10%)  steps = 50 }`,
  ),
});

const lengthText = ({ value, unit }: Duration): string =>
  `${Number(value.toPrecision(3))} ${value === 1 ? unit.slice(0, -1) : unit}`;

export const longWarmup = (span: Span, warmup: Duration, length: Duration): Diagnostic =>
  A306.at(span, `the warm-up of ${lengthText(warmup)} is longer than the run of ${lengthText(length)}`, {
    label: 'the learning rate never gets to what it is to be',
    help: 'write a shorter one, such as `warmup: 10%`',
  });
