/** Formatting of a text, without the disk: for the language server, which is also packed into one file. */
import { format } from 'prettier/standalone';
import type { Options } from 'prettier';
import * as plugin from '../../grammar/prettier.ts';

/**
 * The text of a spec, formatted.
 * @throws SyntaxError when the spec has a mistake in its syntax
 */
export const formatText = (text: string, options: Options = {}): Promise<string> =>
  format(text, { ...options, parser: 'adapter', plugins: [plugin] });
