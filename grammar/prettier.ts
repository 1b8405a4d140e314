/**
 * A Prettier plugin for `.adapter` files: `prettier --plugin graft-adapters/prettier`. Only blanks and line breaks
 * change, and brackets that stand twice.
 */
import type { Parser, Plugin, Printer, SupportLanguage } from 'prettier';
import type { File } from './ast.ts';
import type { Diagnostic } from './diagnostic.ts';
import { placeComments } from './format/comments.ts';
import { fileDoc } from './format/statements.ts';
import { parse } from './parser.ts';
import { positionOf } from './source.ts';

/** Hides the comments from Prettier, which would attach them by its own rules. */
interface Root {
  readonly file: File;
  readonly text: string;
}

/** How Prettier knows the language: by extension, or as the language of a code block. */
export const languages: SupportLanguage[] = [
  { name: 'Adapter', parsers: ['adapter'], extensions: ['.adapter'], vscodeLanguageIds: ['adapter'] },
];

const parser: Parser<Root> = {
  astFormat: 'adapter',
  parse(text, { filepath }) {
    const { file, diagnostics } = parse({ file: filepath ?? 'text', text });
    const [first] = [...diagnostics].sort((a, b) => a.span.start - b.span.start);
    if (first !== undefined) throw syntaxError(first, text);
    return { file, text };
  },
  locStart: () => 0,
  locEnd: ({ text }) => text.length,
};

/** What Prettier shows as a code frame. */
function syntaxError(d: Diagnostic, text: string): SyntaxError {
  const place = (offset: number): { readonly line: number; readonly column: number } => {
    const { line, character } = positionOf(text, offset);
    return { line: line + 1, column: character + 1 };
  };
  const start = place(d.span.start);
  const loc = { start, end: place(d.span.end) };
  const error = new SyntaxError(`${d.code}: ${d.message} (${start.line}:${start.column})`, { cause: d });
  return Object.assign(error, { loc });
}

const printer: Printer<Root> = {
  // Where Prettier looks for the node under the cursor: a spec is formatted as a whole.
  getVisitorKeys: () => [],
  print({ node }, { printWidth, tabWidth }) {
    const { file, text } = node;
    return fileDoc({ text, commentsOf: placeComments(file, text), room: printWidth, tab: tabWidth }, file);
  },
};

export const parsers: Plugin<Root>['parsers'] = { adapter: parser };

export const printers: Plugin<Root>['printers'] = { adapter: printer };

/** A part with a gate and an initial value fits. */
export const defaultOptions: NonNullable<Plugin['defaultOptions']> = { printWidth: 110 };
