/**
 * Diagnostics as they are shown. A fixture is a spec whose last comment, below the line `// diagnostics`, is what the
 * checker says about it; `UPDATE=1` rewrites the comments. Fixtures may import `bases.adapter`.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { renderDiagnostic } from '../../grammar/render.ts';

const t = suite('diagnostics');
const folder = join(import.meta.dirname, '../fixtures/diagnostics');
const bases = readFileSync(join(import.meta.dirname, '../../specs/bases.adapter'), 'utf8');
const marker = '// diagnostics\n';

for (const file of readdirSync(folder)) {
  t(file, () => {
    const path = join(folder, file);
    const content = readFileSync(path, 'utf8');
    const at = content.indexOf(marker);
    const spec = (at === -1 ? content : content.slice(0, at)).trimEnd() + '\n';
    const { diagnostics, sources } = checkSpec(file, memoryHost({ [file]: spec, 'bases.adapter': bases }));
    const shown = diagnostics.map((d) => renderDiagnostic(d, sources)).join('\n\n') || 'none';
    const expected = `${spec}\n${marker}${shown.replace(/^/gm, '// ').replace(/ +$/gm, '')}\n`;
    if (process.env['UPDATE'] === '1') writeFileSync(path, expected);
    else assert.fixture(content, expected);
  });
}

t.run();
