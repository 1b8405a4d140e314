/** Every spec of the library checks clean, on its own base and on a tiny one, and says where it comes from. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { parse } from '../../grammar/parser.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { tiny } from './tiny-base.ts';

const t = suite('specs');
const folder = join(import.meta.dirname, '../../specs');
const specs = readdirSync(folder).filter((f) => f.endsWith('.adapter'));

for (const spec of specs) {
  const path = join(folder, spec);

  t(`${spec} checks clean`, () => {
    const { diagnostics, sources } = checkSpec(path, nodeSpecs);
    assert.equal(
      diagnostics.map((d) => renderDiagnostic(d, sources)),
      [],
    );
  });

  t(`${spec} fits a tiny base`, () => {
    const names = parse({ file: spec, text: readFileSync(path, 'utf8') }).file.declarations.flatMap((d) =>
      d.kind === 'param' ? [d.name.text] : [],
    );
    const params = names.includes('late') ? { late: 'last 2' } : {};
    for (const tied of [false, true]) {
      const checked = checkSpec(path, nodeSpecs, { base: { ...tiny, tied }, params });
      assert.equal(
        checked.diagnostics.map((d) => renderDiagnostic(d, checked.sources)),
        [],
      );
      for (const name of Object.keys(checked.adapters)) {
        const { parameters } = lowerModel(checked, name);
        assert.is(new Set(parameters.map((p) => p.name)).size, parameters.length, 'names are unique');
        for (const p of parameters) {
          const shaped = p.shape.reduce((a, b) => a * b, 1);
          assert.is(
            p.axes.reduce((a, x) => a * x.groups * x.size, 1),
            shaped,
            `${p.name}: axes and shape hold as many numbers`,
          );
        }
      }
    }
  });

  t(`${spec} says what it is`, () => {
    for (const d of parse({ file: spec, text: readFileSync(path, 'utf8') }).file.declarations) {
      if (d.kind !== 'adapter') continue;
      assert.match(d.doc, /Source: /, `${d.name.text} names its source`);
    }
  });
}

t('the setting of the paper keeps early and late layers apart', () => {
  const checked = checkSpec(join(folder, 'llama-adapter-v2-multimodal.adapter'), nodeSpecs);
  const model = lowerModel(checked, 'V2');
  const layers = (part: string) => model.parts.find((p) => p.name === part)?.layers ?? [];
  assert.is(model.base.layers, 32);
  assert.is(layers('words').length, 31);
  assert.equal(layers('image'), [0]);
});

t('one line moves the image, and a meeting of layers is only a warning', () => {
  const path = join(folder, 'llama-adapter-v2-multimodal.adapter');
  const checked = checkSpec(path, nodeSpecs, { params: { early: 'first 2' } });
  assert.equal(
    checked.diagnostics.map((d) => [d.code, d.severity]),
    [['A301', 'warning']],
  );
  assert.equal(lowerModel(checked, 'V2').parts.find((p) => p.name === 'image')?.layers, [0, 1]);
});

t.run();
