/** Every entry's bad example yields exactly its code, and its good example nothing at all. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { catalogue, entryOf } from '../../compiler/check/diagnostics/index.ts';
import { memoryHost } from '../../compiler/host.ts';
import { modelFiles } from './models.ts';

const t = suite('codes');

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = ['grammar', 'compiler', 'runtime'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ path: join(folder, file), text: readFileSync(join(root, folder, file), 'utf8') })),
);
const bases = readFileSync(new URL('../../specs/bases.adapter', import.meta.url), 'utf8');

/** Codes found in an example; its first line may be the command that sets params. */
function codesIn(text: string): string[] {
  const set = /^\/\/ graft check --set (\w+)="([^"]*)"/.exec(text);
  const params = set === null ? {} : { [set[1] ?? '']: set[2] ?? '' };
  const host = memoryHost({ 'example.adapter': text, 'bases.adapter': bases, ...modelFiles });
  return checkSpec('example.adapter', host, { params }).diagnostics.map((d) => `${d.code} ${d.message}`);
}

for (const { code, title, bad, good } of catalogue) {
  t(`${code} ${title}`, () => {
    const found = codesIn(bad);
    assert.is(found.length, 1, `${code}: ${found.join(' | ')}`);
    assert.is(found[0]?.slice(0, 4), code, found[0]);
    assert.equal(codesIn(good), []);
  });
}

t('every entry stands beside what reports it, and no diagnostic is made without one', () => {
  for (const { code } of catalogue) {
    const [file, ...others] = sources.filter(({ text }) => text.includes(`export const ${code} = entry(`));
    assert.ok(file !== undefined && others.length === 0, `${code} is the name of one entry`);
    const mentions = [...file.text.matchAll(new RegExp(`\\b${code}\\b`, 'g'))].length;
    // Its own name, and its code.
    assert.ok(mentions > 2, `no function beside the entry of ${code} reports it`);
  }
  const makers = sources
    .filter(({ text }) => /\bdiagnose\b[^}]*\} from '[^']*\/diagnostic\.ts'/.test(text))
    .map(({ path }) => path);
  // A missing file has no code: there is nothing to explain.
  assert.equal(makers.sort(), ['grammar/entry.ts', 'runtime/project/missing-files.ts']);
});

t('a code that the checker looks for is in the catalogue, whatever the case of its letter', () => {
  const named = sources.flatMap(({ text }) => [...text.matchAll(/'(A\d{3})'/g)].map(([, code = '']) => code));
  // A100 is the border of syntax errors and no code.
  assert.equal(
    named.filter((code) => code !== 'A100' && entryOf(code.toLowerCase())?.code !== code),
    [],
  );
});

t('codes are unique', () => {
  assert.is(new Set(catalogue.map((c) => c.code)).size, catalogue.length);
});

t.run();
