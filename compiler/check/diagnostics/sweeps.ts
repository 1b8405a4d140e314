/** Sweeps. */
import type { Name } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry } from '../../../grammar/entry.ts';
import type { Span } from '../../../grammar/source.ts';
import { biases, withData } from './examples.ts';
import { suggest } from './phrases.ts';

export const A211 = entry({
  code: 'A211',
  severity: 'error',
  title: 'a sweep of what is no param',
  text: `
    A sweep tries values of params, and of \`seed\`. To vary an attribute, make it a param first.`,
  bad: withData(
    biases,
    `
      recipe short for Example { steps = 100 }
      param  late = all
      sweep  depth over Example with short { lat = [first 1, first 2] }`,
  ),
  good: withData(
    biases,
    `
      recipe short for Example { steps = 100 }
      param  late = all
      sweep  depth over Example with short { late = [first 1, first 2] }`,
  ),
});

export const unknownSwept = (name: Name, candidates: readonly string[]): Diagnostic =>
  A211.at(name.span, `a sweep cannot vary \`${name.text}\``, {
    help: `write \`param ${name.text} = ...\`, and \`${name.text}\` in the place of its value`,
    ...suggest(name, candidates),
    label: 'not a param',
  });

export const A221 = entry({
  code: 'A221',
  severity: 'error',
  title: 'a sweep without trials',
  text: `
    A list without values, or a \`where\` that no combination fulfils, leaves nothing to run.`,
  bad: withData(
    biases,
    `
      param  late = all
      recipe short for Example { steps = 100 }
      sweep  depth over Example with short {
        late = [first 1, first 2]
        where late == last 1
      }`,
  ),
  good: withData(
    biases,
    `
      param  late = all
      recipe short for Example { steps = 100 }
      sweep  depth over Example with short {
        late = [first 1, first 2]
        where late != first 1
      }`,
  ),
});

export const noTrials = (span: Span, why: string): Diagnostic =>
  A221.at(span, 'the sweep has no trials', { label: why });

export const A222 = entry({
  code: 'A222',
  severity: 'error',
  title: 'a sweep of too many trials',
  text: `
    Every list multiplies the number of trials. More than ten thousand is more than anybody waits for: vary less at a
    time.`,
  bad: withData(
    biases,
    `
      param  a = 0
      param  b = 0
      param  c = 0
      param  d = 0
      param  e = 0
      recipe short for Example { steps = 100 }
      sweep  depth over Example with short {
        a = [0, 1, 2, 3, 4, 5, 6]  b = [0, 1, 2, 3, 4, 5, 6]  c = [0, 1, 2, 3, 4, 5, 6]
        d = [0, 1, 2, 3, 4, 5, 6]  e = [0, 1, 2, 3, 4, 5, 6]
      }`,
  ),
  good: withData(
    biases,
    `
      param  a = 0
      recipe short for Example { steps = 100 }
      sweep  depth over Example with short { a = [0, 1, 2, 3, 4, 5, 6] }`,
  ),
});

export const tooManyTrials = (name: Name, count: number, most: number): Diagnostic =>
  A222.at(name.span, `\`${name.text}\` has ${count} combinations`, {
    label: `at most ${most}`,
    help: 'take values away, or write several sweeps',
  });

/** What is wrong with a value, told at its place in the sweep. */
export const badSwept = (found: Diagnostic, span: Span): Diagnostic => ({
  ...found,
  span,
  related: found.related.filter((r) => !r.span.file.startsWith('--set ')),
  // An edit would be of the text of `--set`, which nobody wrote.
  ...(found.fix === undefined ? {} : { fix: { message: found.fix.message, edits: [] } }),
});
