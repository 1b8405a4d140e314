/** Every code's bad example yields exactly that code, and its good example nothing at all. */
import { readFileSync, readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { codeOf, codes } from '../../compiler/check/codes.ts';
import { memoryHost } from '../../compiler/host.ts';

const t = suite('codes');

const bases = readFileSync(new URL('../../specs/bases.adapter', import.meta.url), 'utf8');

/** Codes found in an example; its first line may be the command that sets params. */
function codesIn(text: string): string[] {
  const set = /^\/\/ graft check --set (\w+)="([^"]*)"/.exec(text);
  const params = set === null ? {} : { [set[1] ?? '']: set[2] ?? '' };
  const host = memoryHost({ 'example.adapter': text, 'bases.adapter': bases });
  return checkSpec('example.adapter', host, { params }).diagnostics.map((d) => `${d.code} ${d.message}`);
}

for (const code of codes) {
  t(`${code.code} ${code.title}`, () => {
    const found = codesIn(code.bad);
    assert.is(found.length, 1, `${code.code}: ${found.join(' | ')}`);
    assert.is(found[0]?.slice(0, 4), code.code, found[0]);
    assert.equal(codesIn(code.good), []);
  });
}

t('every code that is reported can be explained', () => {
  const folders = ['../../compiler/check/messages/', '../../grammar/'];
  const used = new Set<string>();
  for (const folder of folders) {
    const url = new URL(folder, import.meta.url);
    for (const file of readdirSync(url).filter((f) => f.endsWith('.ts'))) {
      for (const match of readFileSync(new URL(file, url), 'utf8').matchAll(/'(A\d{3})'/g))
        used.add(match[1] ?? '');
    }
  }
  for (const code of used) assert.ok(codeOf(code), `${code} is not in the catalogue`);
  for (const code of codes) assert.ok(used.has(code.code), `${code.code} is never reported`);
});

t('codes are unique', () => {
  assert.is(new Set(codes.map((c) => c.code)).size, codes.length);
});

t.run();
