/** Imports that lead nowhere. */
import type { ImportDeclaration } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry } from '../../../grammar/entry.ts';

export const A107 = entry({
  code: 'A107',
  severity: 'error',
  title: 'the import is not there',
  text: `
    An import is a path, relative to the file that it is written in.`,
  bad: `
    import "base.adapter"`,
  good: `
    import "bases.adapter"`,
});

export const importNotFound = (it: ImportDeclaration, path: string): Diagnostic =>
  A107.at(it.pathSpan, `the import \`${it.path}\` is not there`, {
    label: it.path === path ? '' : `looked for \`${path}\``,
    help: 'a path is taken from the folder of this file; `graft init` writes a spec whose import is right',
  });

export const A108 = entry({
  code: 'A108',
  severity: 'error',
  title: 'imports go in a circle',
  text: `
    A file cannot import itself, nor one that leads back to it. Move what both need into a third file.`,
  bad: `
    import "example.adapter"`,
  good: `
    import "bases.adapter"`,
});

export const importCycle = (it: ImportDeclaration, above: readonly string[], target: string): Diagnostic =>
  A108.at(it.pathSpan, 'imports go in a circle', {
    label: `leads back to \`${target}\``,
    notes: [[...above.slice(above.indexOf(target)), target].join(' imports ')],
  });
