/** A spec and everything it imports: each file is read and parsed once. */
import type { File, ImportDeclaration } from '../../grammar/ast.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { parse, type Parsed } from '../../grammar/parser.ts';
import type { Source } from '../../grammar/source.ts';
import type { Host } from '../host.ts';
import { importCycle, importNotFound } from './diagnostics/imports.ts';

export interface Loaded {
  /** In the order in which declarations become known: what is imported comes first, the spec itself last. */
  readonly files: readonly File[];
  /** Texts by file name, for showing diagnostics. */
  readonly sources: Map<string, string>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a spec and its imports; null when the spec itself is not there. `read` makes the tree of a text; an editor
 * gives one that remembers those it has made.
 */
export function loadFiles(path: string, host: Host, read: (source: Source) => Parsed = parse): Loaded | null {
  const text = host.readFile(path);
  if (text === null) return null;
  const files: File[] = [];
  const sources = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];

  const visit = (file: string, content: string, above: readonly string[]): void => {
    sources.set(file, content);
    const parsed = read({ file, text: content });
    for (const d of parsed.diagnostics) diagnostics.push(d);
    const imports = parsed.file.declarations.filter((d): d is ImportDeclaration => d.kind === 'import');
    for (const it of imports) {
      const target = host.resolve(file, it.path);
      if ([...above, file].includes(target)) {
        diagnostics.push(importCycle(it, [...above, file], target));
      } else if (!sources.has(target)) {
        const imported = host.readFile(target);
        if (imported === null) diagnostics.push(importNotFound(it, target));
        else visit(target, imported, [...above, file]);
      }
    }
    files.push(parsed.file);
  };

  visit(path, text, []);
  return { files, sources, diagnostics };
}
