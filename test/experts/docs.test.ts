/** docs/experts.md is true, and what it says works in a page needs nothing of Node. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import * as browser from '../../runtime/browser.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { MOST_BYTES } from '../../runtime/experts/expert.ts';

const t = suite('docs/experts.md');
const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/experts.md'), 'utf8');
const block = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(text)?.[1] ?? '';

t('its spec checks clean and has every kind of expert', () => {
  const bases = readFileSync(join(root, 'specs/bases.adapter'), 'utf8');
  const checked = checkSpec(
    'reads.adapter',
    memoryHost({ 'reads.adapter': block('adapter'), 'bases.adapter': bases }),
  );
  assert.equal(
    checked.diagnostics.map((d) => renderDiagnostic(d, checked.sources)),
    [],
  );
  assert.equal(
    lowerModel(checked).experts.map(({ run }) => run?.kind),
    ['caption', 'ocr', 'detect', 'http', 'command', undefined],
  );
});

t('its example is there', () => {
  const path = /examples\/\S+\.adapter/g;
  for (const [file] of text.matchAll(path)) {
    const checked = checkSpec(join(root, file), nodeSpecs);
    assert.ok(checked.found, file);
    assert.equal(checked.diagnostics, []);
  }
});

t('what its page calls is exported', () => {
  for (const name of ['contextFor', 'withContext', 'fillPrompt']) {
    assert.match(block('js'), new RegExp(`${name}\\(`));
    assert.ok(Object.hasOwn(browser, name), name);
  }
  assert.ok(Object.hasOwn(browser, 'askExperts'));
});

t('its limits are those of the code', () => {
  assert.match(text, new RegExp(`more than ${MOST_BYTES / 2 ** 20} MiB`));
});

t('OCR, detector, endpoint and captioner need nothing of Node', async () => {
  const { errors } = await build({
    entryPoints: ['ocr', 'detect', 'http', 'caption', 'ask'].map((name) =>
      join(root, `runtime/experts/${name}.ts`),
    ),
    ...{
      bundle: true,
      write: false,
      outdir: 'unused',
      format: 'esm',
      platform: 'browser',
      logLevel: 'silent',
    },
    external: ['tesseract.js', 'onnxruntime-web'],
  });
  assert.equal(errors, []);
});

t.run();
