/** Messages about sweeps. */
import type { Name } from '../../../grammar/ast.ts';
import { error, type Diagnostic } from '../../../grammar/diagnostic.ts';
import type { Span } from '../../../grammar/source.ts';

export const noTrials = (span: Span, why: string): Diagnostic =>
  error('A221', span, 'the sweep has no trials', { label: why });

export const tooManyTrials = (name: Name, count: number, most: number): Diagnostic =>
  error('A222', name.span, `\`${name.text}\` has ${count} combinations`, {
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

export const otherRecipe = (recipe: Name, of: string, adapter: string): Diagnostic =>
  error('A111', recipe.span, `\`${recipe.text}\` is no recipe for \`${adapter}\``, {
    label: `it is for \`${of}\``,
    help: `write \`recipe NAME for ${adapter} { ... }\`, or sweep over \`${of}\``,
  });
