/** A golden set of Hugging Face's own code: which cases a folder holds, and the files of one. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../input-error.ts';

/** The sub-folders that tell such a set from one of the official LLaMA-Adapter code. */
const KINDS = ['base', 'peft', 'tokenizers', 'chat', 'gguf'] as const;
export type Kind = (typeof KINDS)[number];

export interface HfCase {
  readonly kind: Kind;
  /** `KIND/NAME`, as the command line takes it. */
  readonly name: string;
  /** Its folder; of a chat case, its file. */
  readonly path: string;
}

export const isHfSet = (folder: string): boolean => KINDS.some((kind) => existsSync(join(folder, kind)));

/**
 * The cases of a set, or those that are named: `KIND/NAME`, or `KIND` for all of one kind.
 * @throws InputError for a name that no case has
 */
export function hfCases(folder: string, wanted: readonly string[]): HfCase[] {
  const all = KINDS.flatMap((kind) => casesIn(folder, kind));
  for (const name of wanted)
    if (!all.some((it) => it.name === name || it.kind === name))
      throw new InputError(
        `${folder} has no case ${name}`,
        `cases are ${all.map((it) => it.name).join(', ')}`,
      );
  return wanted.length === 0 ? all : all.filter((it) => wanted.includes(it.name) || wanted.includes(it.kind));
}

function casesIn(folder: string, kind: Kind): HfCase[] {
  const root = join(folder, kind);
  if (!existsSync(root)) return [];
  const isFile = kind === 'chat';
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => (isFile ? entry.name.endsWith('.json') : !entry.isFile()))
    .map(({ name }) => ({ kind, name: `${kind}/${name.replace(/\.json$/, '')}`, path: join(root, name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
