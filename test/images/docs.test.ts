/** docs/images.md is true: its spec checks, and its page uses names that exist. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import * as browser from '../../runtime/browser.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { MOST_PIXELS } from '../../runtime/images/picture.ts';
import { shareBelow } from './below.ts';

const t = suite('docs/images.md');
const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/images.md'), 'utf8');
const block = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(text)?.[1] ?? '';

t('its specs check clean', () => {
  const bases = readFileSync(join(root, 'specs/bases.adapter'), 'utf8');
  const specs = [...text.matchAll(/```adapter\n([^]*?)```/g)];
  assert.is(specs.length, 2);
  for (const [, spec = ''] of specs) {
    const { diagnostics, sources } = checkSpec(
      'sees.adapter',
      memoryHost({ 'sees.adapter': spec, 'bases.adapter': bases }),
    );
    assert.equal(
      diagnostics.map((d) => renderDiagnostic(d, sources)),
      [],
    );
  }
});

t('what its page calls is exported', () => {
  for (const name of ['decodePicture', 'makeDecoder', 'showImages', 'patchPictures', 'cutPicture']) {
    assert.match(block('js'), new RegExp(`${name}\\(`));
    assert.ok(Object.hasOwn(browser, name), name);
  }
});

t('what layers below the lowest prompt cost is computed from the graphs', () => {
  const sizes = { batch: 4, tokens: 256, labels: 512 };
  const row = (name: string, share: number) =>
    assert.match(
      text,
      new RegExp(`\\| ${name} +\\| +${(100 * share).toFixed(1)}% \\| +${(1 / (1 - share)).toFixed(2)} \\|`),
      `${name}: ${(100 * share).toFixed(1)}%, ${(1 / (1 - share)).toFixed(2)}`,
    );
  for (const late of [30, 20, 10, 8, 4, 2]) {
    const params = { late: `last ${late}` };
    const checked = checkSpec(join(root, 'specs/llama-adapter-v1.adapter'), nodeSpecs, { params });
    row(`last ${late} of 32`, shareBelow(lowerModel(checked), sizes));
  }
  const small = lowerModel(checkSpec(join(root, 'examples/base/v1.adapter'), nodeSpecs));
  row('last 4 of 6, the embedded base', shareBelow(small, { batch: 32, tokens: 20, labels: 256 }));
});

t('its limits are those of the code', () => {
  assert.match(text, new RegExp(`more than ${Math.floor(MOST_PIXELS / 1e6)} million`));
});

t.run();
