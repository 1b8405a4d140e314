/** Specs that examples of diagnostics share. */
import { dedent } from '../../../grammar/entry.ts';

/** An example with instructions for data and an adapter with these items. */
export const withData = (items: string, rest = ''): string =>
  `import "bases.adapter"\n\ndata instructions = alpaca("alpaca.json")\n\nadapter Example on llama7b {\n` +
  `${dedent(items).replace(/^(?=.)/gm, '  ')}}\n${rest === '' ? '' : `\n${dedent(rest)}`}`;

export const biases = `
  bias biases on every linear
  task instruct on instructions trains biases`;
