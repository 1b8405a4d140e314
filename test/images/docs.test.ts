/** docs/images.md is true: its spec checks, and its page uses names that exist. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import * as browser from '../../runtime/browser.ts';
import { MOST_PIXELS } from '../../runtime/images/picture.ts';

const t = suite('docs/images.md');
const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/images.md'), 'utf8');
const block = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(text)?.[1] ?? '';

t('its spec checks clean', () => {
  const bases = readFileSync(join(root, 'specs/bases.adapter'), 'utf8');
  const { diagnostics, sources } = checkSpec(
    'sees.adapter',
    memoryHost({ 'sees.adapter': block('adapter'), 'bases.adapter': bases }),
  );
  assert.equal(
    diagnostics.map((d) => renderDiagnostic(d, sources)),
    [],
  );
});

t('what its page calls is exported', () => {
  for (const name of ['decodePicture', 'makeDecoder', 'showImages', 'patchPictures', 'cutPicture']) {
    assert.match(block('js'), new RegExp(`${name}\\(`));
    assert.ok(Object.hasOwn(browser, name), name);
  }
});

t('its limits are those of the code', () => {
  assert.match(text, new RegExp(`more than ${Math.floor(MOST_PIXELS / 1e6)} million`));
});

t.run();
