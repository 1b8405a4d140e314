/** A kind of part is known by its own file: whatever else wants to know of a part asks the kind, and names none. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { kinds } from '../../compiler/kinds/index.ts';

const t = suite('kinds');
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Files that have the name of a kind in quotes, those names, and why. */
const NAMED: Readonly<Record<string, readonly [names: string, why: string]>> = {
  'compiler/check/aliases.ts': [
    'prefix project prompt rescale scale unfreeze bias',
    "other libraries' names of methods, and the kinds that are the same",
  ],
  'compiler/families/sites.ts': ['bias', 'the parameter of a linear'],
  'compiler/merge/merge.ts': ['bias', 'what of a site a part changes'],
  'compiler/wgsl/gather/prepend.ts': ['prefix', 'a binding of the kernel'],
  'compiler/wgsl/matmul/problem.ts': ['bias scale', 'bindings of the kernel'],
  'runtime/data/foreign.ts': ['prompt', 'a field of a record'],
  'runtime/weights/encoder.ts': ['encoder', 'a word of a message'],
  'runtime/weights/official-limits.ts': ['lora prompt', 'what the official files have parts of'],
  'runtime/weights/llama-adapter.ts': ['prompt bias scale', 'roles of parameters'],
};

/** Folders that write specs in the kinds they know: those of a first spec, and those that PEFT has a method for. */
const WRITERS = ['compiler/kinds/', 'runtime/cli/init/', 'runtime/peft/'];

const quoted = new RegExp(`'(${kinds.map(({ name }) => name).join('|')})'`, 'g');
const sources = ['grammar', 'compiler', 'runtime'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => join(folder, file).replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && !WRITERS.some((folder) => file.startsWith(folder))),
);

t('no file outside of compiler/kinds names a kind, but for a reason', () => {
  const found = Object.fromEntries(
    sources.flatMap((file) => {
      const names = [...readFileSync(join(root, file), 'utf8').matchAll(quoted)].map(
        ([, name]) => name ?? '',
      );
      return names.length === 0 ? [] : [[file, [...new Set(names)].sort()] as const];
    }),
  );
  const expected = Object.fromEntries(
    Object.entries(NAMED).map(([file, [names]]) => [file, names.split(' ').sort()]),
  );
  assert.equal(found, expected);
});

t('no file outside of compiler/kinds compares the kind of a part with a name', () => {
  const compares = /\b(kind|kind\.name|type\.text) (===|!==) '\w+'/g;
  const names = new Set(kinds.map(({ name }) => name));
  const found = sources.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(compares)]
      .filter(([text]) => names.has(/'(\w+)'/.exec(text)?.[1] ?? ''))
      .map(([text]) => `${file}: ${text}`),
  );
  assert.equal(found, []);
});

t.run();
