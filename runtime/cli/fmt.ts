/** `graft fmt`: formats specs in place, as the Prettier plugin does. */
import { constants } from 'node:fs';
import { access, chmod, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { extname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import * as prettier from 'prettier';
import { sortDiagnostics, type Diagnostic } from '../../grammar/diagnostic.ts';
import { parse } from '../../grammar/parser.ts';
import { writeText } from '../files/write.ts';
import { InputError } from '../input-error.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { formatText } from './formatting.ts';
import { printDiagnostics } from './spec-arguments.ts';

export const command: Command = {
  name: 'fmt',
  summary: 'format specs',
  usage: `usage: graft fmt [--check] [FILE | FOLDER | -]...

  Formats .adapter files in place and lists those that changed. A folder stands for all specs in it, less what
  .prettierignore names; without arguments it is the current one. - formats standard input to standard output.
  Options such as printWidth come from Prettier's configuration or .editorconfig, where there is one.

  --check   change nothing; list what would change and end with exit code 1 if there is any`,
  async run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { check: { type: 'boolean', default: false } },
    });
    const paths = await specsAt(positionals.length === 0 ? ['.'] : positionals);
    const diagnostics: Diagnostic[] = [];
    const sources = new Map<string, string>();
    let changed = 0;
    for (const path of paths) {
      const text = await readSpec(path);
      const broken = sortDiagnostics(parse({ file: path, text }).diagnostics);
      for (const d of broken) diagnostics.push(d);
      sources.set(path, text);
      if (broken.length > 0) continue;
      const formatted = await formatSpec(text, path);
      if (path === '-' && !values.check) process.stdout.write(formatted);
      if (formatted === text) continue;
      changed += 1;
      if (path === '-' && !values.check) continue;
      if (!values.check) await replaceFile(path, formatted);
      console.log(path);
    }
    printDiagnostics(diagnostics, sources);
    if (values.check && changed > 0)
      console.error(`${changed} of ${paths.length} would change; \`graft fmt\` without --check does it`);
    return diagnostics.length > 0 || (values.check && changed > 0) ? EXIT.failed : EXIT.ok;
  },
};

/**
 * The text of a spec, formatted with the options that Prettier finds for its path.
 * @throws SyntaxError when the spec has a mistake in its syntax
 */
async function formatSpec(text: string, path: string): Promise<string> {
  const place = path === '-' ? 'stdin.adapter' : path;
  const options = await prettier.resolveConfig(place, { editorconfig: true }).catch((cause: unknown) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(`Prettier's configuration cannot be read: ${message}`, 'repair it', { cause });
  });
  return formatText(text, { ...options, filepath: place });
}

/** The specs that arguments stand for, each once. */
async function specsAt(places: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const place of places) {
    const info = place === '-' ? null : await stat(place).catch(() => undefined);
    if (info === undefined) throw new UsageError(`cannot read ${place}`);
    if (info?.isDirectory() === true) {
      const inside = await specsIn(place);
      if (inside.length === 0)
        throw new InputError(`no .adapter file in ${place}`, 'name a file or another folder');
      found.push(...inside);
    } else if (place === '-' || extname(place) === '.adapter') found.push(place);
    else throw new UsageError(`${place} is not an .adapter file`);
  }
  return [...new Set(found)];
}

/** All specs below a folder, in order. */
async function specsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
      found.push(...(await specsIn(path)));
    else if (entry.isFile() && extname(entry.name) === '.adapter' && !(await isIgnored(path)))
      found.push(path);
  }
  return found;
}

const isIgnored = async (path: string): Promise<boolean> =>
  (await prettier.getFileInfo(path, { ignorePath: '.prettierignore', resolveConfig: false })).ignored;

/** Writing back what was read wrongly would spoil it, so a text has to be UTF-8. */
async function readSpec(path: string): Promise<string> {
  const bytes = path === '-' ? await buffer(process.stdin) : await readFile(path);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new InputError(`${path} is not UTF-8 text`, 'save it as UTF-8', { cause });
  }
}

/** Whole or not at all; a link keeps pointing where it points, and permissions stay. */
async function replaceFile(path: string, text: string): Promise<void> {
  const target = await realpath(path);
  const { mode } = await stat(target);
  await access(target, constants.W_OK).catch((cause: unknown) => {
    throw new InputError(`cannot write ${relative('.', target)}`, 'it is read-only: allow writing first', {
      cause,
    });
  });
  await writeText(target, text);
  await chmod(target, mode);
}
