/**
 * Specs with marks in them: `<|>` is where the cursor stands, `<|late|>` is a range that something is expected to
 * point to. The idea is langium/test's.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryHost } from '../../compiler/host.ts';
import { createWorkspace, type Workspace } from '../../compiler/service/workspace.ts';
import type { Span } from '../../grammar/source.ts';
import { modelFiles } from '../check/models.ts';

/** The bases of the method library, for specs that import them. */
export const bases = readFileSync(join(import.meta.dirname, '../../specs/bases.adapter'), 'utf8');

export interface Marked {
  readonly text: string;
  /** Offsets of the single marks. */
  readonly cursors: readonly number[];
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
}

/** Takes the marks out of a text. */
export function unmark(marked: string): Marked {
  let text = '';
  let open: number | null = null;
  const cursors: number[] = [];
  const ranges: { start: number; end: number }[] = [];
  for (const piece of marked.split(/(<\|>|<\||\|>)/)) {
    if (piece === '<|>') cursors.push(text.length);
    else if (piece === '<|') open = text.length;
    else if (piece === '|>' && open !== null) ranges.push({ start: open, end: text.length });
    else text += piece;
  }
  return { text, cursors, ranges };
}

export interface Scene {
  readonly workspace: Workspace;
  /** The file and offset of the one cursor. */
  readonly path: string;
  readonly offset: number;
  readonly ranges: readonly Span[];
  readonly texts: Readonly<Record<string, string>>;
}

/** A workspace of marked files, by path; a text alone is `main.adapter`. `bases.adapter` and the models of tests are there as well. */
export function scene(files: string | Readonly<Record<string, string>>): Scene {
  const marked = typeof files === 'string' ? { 'main.adapter': files } : files;
  const texts: Record<string, string> = { 'bases.adapter': bases };
  const ranges: Span[] = [];
  let [path, offset] = [Object.keys(marked)[0] ?? '', 0];
  for (const [file, content] of Object.entries(marked)) {
    const { text, cursors, ranges: found } = unmark(content);
    texts[file] = text;
    if (cursors[0] !== undefined) [path, offset] = [file, cursors[0]];
    ranges.push(...found.map((range) => ({ file, ...range })));
  }
  const workspace = createWorkspace(memoryHost({ ...modelFiles, ...texts }), () => Object.keys(texts));
  return { workspace, path, offset, ranges, texts };
}

/** An adapter on `llama7b` around some items, with what they refer to. */
export const onLlama = (items: string): string => `import "bases.adapter"

param late = last 31 in layers
param early = first 1 in layers

adapter V2 on llama7b {
${items}
}

data instructions = alpaca("alpaca.json")
data pairs = image_text("pairs.jsonl")
`;
