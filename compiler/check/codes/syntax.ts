/** A0xx: what the parser could not read. */
import { entry, onLlama, type Code } from './code.ts';

export const syntaxCodes: readonly Code[] = [
  entry(
    'A001',
    'unexpected character',
    `
    The language is written with names, numbers, strings in double quotes, and the signs { } ( ) [ ] , : . .. = == !=
    + - & * and **. Comments start with two slashes, and with three when they document what follows.`,
    `
    param length = 10;`,
    `
    param length = 10`,
  ),
  entry(
    'A002',
    'the string is not closed',
    `
    A string ends on the line on which it begins. Inside of it, \\n is a new line, \\t a tab, \\" a quote and \\\\ a
    backslash.`,
    `
    data corpus = text("corpus.txt
    )`,
    `
    data corpus = text("corpus.txt")`,
  ),
  entry(
    'A003',
    'something else was expected here',
    `
    The parser knows what may come next and found something else. It goes on behind the mistake, so other mistakes are
    reported in the same run; of those on one line only the first is shown, because the rest usually follow from it.

    Attributes are written \`name = value\` and need no commas between them. Arguments of a call are written
    \`name: value\` and do. Words of the language, such as \`group\` and \`first\`, cannot be names.`,
    onLlama('prompt words on layers { length 10 }'),
    onLlama('prompt words on layers { length = 10 }'),
  ),
  entry(
    'A004',
    'unknown unit after a number',
    `
    A number may be followed by %, k, M, B, KiB, MiB or GiB without a blank, and by the words \`epochs\` or \`steps\` with
    one. Other letters mean nothing.`,
    `
    param length = 10m`,
    `
    param length = 10M`,
  ),
  entry(
    'A005',
    'a bracket is never closed',
    `
    The next declaration or item began, or the file ended, before the bracket that was opened last was closed.`,
    `
    import "bases.adapter"

    adapter Example on llama7b {
      prompt words on layers { length = 10

    param length = 10`,
    `
    import "bases.adapter"

    adapter Example on llama7b {
      prompt words on layers { length = 10 }
    }

    param length = 10`,
  ),
  entry(
    'A006',
    'not a declaration',
    `
    Outside of all braces a file holds declarations only. Each begins with one of the words import, base, param, data,
    adapter, recipe and sweep.`,
    `
    adaptor Example on llama7b {}`,
    `
    import "bases.adapter"

    adapter Example on llama7b {}`,
  ),
  entry(
    'A007',
    'nested too deeply',
    `
    Values may be nested a hundred deep, in brackets or behind \`in\`, and so may params, groups and adapters that stand
    on one another; a sum may have a thousand terms. No spec needs more; a file that does is most likely not a spec.`,
    `
    param length = ${'('.repeat(101)}1${')'.repeat(101)}`,
    `
    param length = (1)`,
  ),
];
