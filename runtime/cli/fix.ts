/** `graft check --fix`: applies fixes to files and says what it did. No command of its own. */
import { chmod, readFile, realpath, stat } from 'node:fs/promises';
import { fixSpec, type Applied, type Fixed } from '../../compiler/check/fix.ts';
import type { CheckOptions } from '../../compiler/check/check.ts';
import { applyEdits, tidied } from '../../grammar/edit.ts';
import { placeOf } from '../../grammar/render.ts';
import { writeText } from '../files/write.ts';
import { InputError } from '../input-error.ts';
import { UsageError } from './command.ts';
import { nodeSpecs } from '../hosts/node-specs.ts';

/**
 * Fixes one spec; its imports are left alone. The file is written as a whole, and only when that made it better.
 * @throws UsageError when there is no such file, InputError when it cannot be written
 */
export async function fixFile(path: string, options: CheckOptions, dryRun: boolean): Promise<void> {
  if (path === '-') throw new UsageError('--fix changes files, and standard input is none');
  const fixed = fixSpec(path, nodeSpecs, options);
  if (fixed === null) throw new UsageError(`cannot read ${path}`);
  if (fixed.applied.length > 0 && !dryRun) await rewrite(path, fixed.text);
  console.error(report(path, fixed, dryRun));
}

/** Every fix with the lines that it changes, and a last line that counts them. */
export function report(path: string, { applied, reverted }: Fixed, dryRun: boolean): string {
  const done = dryRun ? 'would fix' : 'fixed';
  const many = (n: number): string => `${n} mistake${n === 1 ? '' : 's'}`;
  const took = reverted.length === 0 ? '' : `, took back ${reverted.length} that made nothing better`;
  return [
    ...applied.flatMap((a) => [`${done} ${headOf(a)}`, ...changedLines(a)]),
    ...reverted.map((a) => `took back ${headOf(a)}`),
    applied.length + reverted.length === 0
      ? `${path}: nothing to fix`
      : `${path}: ${done} ${many(applied.length)}${took}`,
  ].join('\n');
}

const headOf = ({ diagnostic, text }: Applied): string =>
  `${diagnostic.code} at ${placeOf(diagnostic.span, new Map([[diagnostic.span.file, text]]))}: ${diagnostic.message}`;

/** The lines that a fix takes away and those that it puts there. */
function changedLines({ diagnostic, text }: Applied): string[] {
  const before = text.split('\n');
  const after = applyEdits(text, tidied(text, diagnostic.fix?.edits ?? [])).split('\n');
  const marked = (sign: string, lines: readonly string[], others: readonly string[]): string[] =>
    lines
      .filter((line) => !others.includes(line) && line.trim() !== '')
      .map((line) => `    ${sign} ${line.trim()}`);
  return [...marked('-', before, after), ...marked('+', after, before)];
}

/** Puts another text in the place of a file: through a link, with its rights, and not if it is no UTF-8. */
async function rewrite(path: string, text: string): Promise<void> {
  const target = await realpath(path);
  const [bytes, { mode }] = [await readFile(target), await stat(target)];
  if (!Buffer.from(bytes.toString('utf8')).equals(bytes))
    throw new InputError(`${path} is not UTF-8`, 'convert it first; it was not changed');
  await writeText(target, text);
  await chmod(target, mode);
}
