/**
 * `specs/compiled`: what the compiler makes of every spec, checked in so that a change of the compiler is reviewed as a
 * diff. `UPDATE=1 npm test -- specs/compiled` writes it.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { compile } from '../../compiler/compile.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import type { Model } from '../../compiler/model/model.ts';
import type { Profile } from '../../compiler/package/package.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { specPath } from '../compiler/subjects.ts';
import { listing, optionsFor } from './listing.ts';

const t = suite('compiled specs');
const folder = specPath('compiled');
const specs = readdirSync(specPath('')).filter((file) => file.endsWith('.adapter'));

/** The adapters a spec declares itself. */
function modelsOf(spec: string): Model[] {
  const checked = checkSpec(specPath(spec), nodeSpecs);
  const own = [...readFileSync(specPath(spec), 'utf8').matchAll(/^adapter (\w+)/gm)].map(([, name]) => name);
  return own.map((name) => lowerModel(checked, name));
}

/** The kernels of two specs, one for each class of devices. */
const shown: readonly { spec: string; profile: Profile }[] = [
  { spec: 'llama-adapter-v2', profile: { device: 'gpu', subgroup: null } },
  { spec: 'lora', profile: { device: 'software', subgroup: 8 } },
];

const expected = new Set<string>();
function expectFile(name: string, text: string): void {
  expected.add(name);
  const path = join(folder, name);
  if (process.env['UPDATE'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } else assert.fixture(readFileSync(path, 'utf8'), text);
}

for (const spec of specs)
  t(`the listing of ${spec} is what it compiles to`, () => {
    const models = modelsOf(spec);
    const stem = spec.slice(0, -'.adapter'.length);
    for (const model of models) {
      const text = `${listing(model)}\n`;
      expectFile(models.length === 1 ? `${stem}.txt` : `${stem}-${model.name}.txt`, text);
      assert.ok(text.split('\n').length <= 195, `${text.split('\n').length} lines are too many to review`);
    }
  });

for (const { spec, profile } of shown)
  t(`the kernels of ${spec} are what it compiles to`, () => {
    const model = modelsOf(`${spec}.adapter`).at(-1)!;
    const { sources } = compile(model, optionsFor(model, profile));
    for (const [name, code] of sources) expectFile(`${spec}/${name}.wgsl`, code);
  });

t('nothing is left of what is not made any more', () => {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.\w+$/.test(name),
  );
  const stale = found.filter((name) => !expected.has(name));
  if (process.env['UPDATE'] === '1') stale.forEach((name) => rmSync(join(folder, name)));
  else assert.equal(stale, []);
});

t.run();
