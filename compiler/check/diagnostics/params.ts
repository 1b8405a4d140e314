/** Params, and names that stand for values. */
import type { Name } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { A007 } from '../../../grammar/diagnostics/structure.ts';
import { entry } from '../../../grammar/entry.ts';
import { suggest } from './phrases.ts';

export const A104 = entry({
  code: 'A104',
  severity: 'error',
  title: 'unknown name',
  text: `
    A name that stands for layers or a value is a \`param\`, or a word such as \`all\` and \`none\`.`,
  bad: `
    import "bases.adapter"

    param late = last 31 in layers

    adapter Example on llama7b {
      prompt words on layers[later] { length = 10 }
    }`,
  good: `
    import "bases.adapter"

    param late = last 31 in layers

    adapter Example on llama7b {
      prompt words on layers[late] { length = 10 }
    }`,
});

export const unknownName = (name: Name, candidates: readonly string[], what: string): Diagnostic =>
  A104.at(name.span, `there is no ${what === 'layers' ? 'set of layers' : what} \`${name.text}\``, {
    ...suggest(name, candidates),
    label: 'neither a word of the language nor a `param`',
  });

export const A116 = entry({
  code: 'A116',
  severity: 'error',
  title: 'a param refers to itself',
  text: `
    A param's value may use other params, but in the end it has to be made of values.`,
  bad: `
    param late  = early
    param early = late`,
  good: `
    param late  = last 31
    param early = all - late`,
});

export const paramCycle = (name: Name, path: readonly string[]): Diagnostic =>
  A116.at(name.span, `the param \`${name.text}\` refers to itself`, {
    notes:
      path.length > 1
        ? [
            chainOf(
              [...path, path[0] ?? ''].map((n) => `\`${n}\``),
              'needs',
            ),
          ]
        : [],
  });

/** `a needs b needs c`; of a long chain only the ends. */
const chainOf = (links: readonly string[], verb: string): string =>
  (links.length > 8 ? [...links.slice(0, 4), '...', ...links.slice(-3)] : links).join(` ${verb} `);

/** How many params, groups or adapters may stand on one another. */
export const MAX_DEPTH = 100;

/** A value that would take too long to work out, or too much memory. */
export const tooLarge = (name: Name, what: 'param' | 'group' | 'adapter'): Diagnostic =>
  A007.at(name.span, `the ${what} \`${name.text}\` is nested too deeply`, {
    label: `more than ${MAX_DEPTH} ${what}s deep${what === 'param' ? ', or more than 10,000 values' : ''}`,
  });

export const A126 = entry({
  code: 'A126',
  severity: 'error',
  title: 'no such param to set',
  text: `
    \`--set NAME=VALUE\` gives a param of the spec or its imports another value for one run.`,
  bad: `
    // graft check --set lat="last 2"
    param late = last 31`,
  good: `
    // graft check --set late="last 2"
    param late = last 31`,
});

export const unknownSetting = (name: Name, candidates: readonly string[]): Diagnostic =>
  A126.at(name.span, `there is no param \`${name.text}\` to set`, suggest(name, candidates));
