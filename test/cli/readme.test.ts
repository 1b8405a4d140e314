/** The README: its spec checks, and its commands do what they say. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { buildData } from '../../examples/fusion/build.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { qwen3 } from '../check/models.ts';

const t = suite('README');
const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'graft readme '));
t.after(() => rmSync(folder, { recursive: true, force: true }));

t('its specs check clean beside the library', () => {
  const path = join(root, 'specs/readme.adapter');
  const adapters = [...readme.matchAll(/```adapter\n([\s\S]*?)```/g)].map(([, text = '']) => {
    const host = {
      ...nodeSpecs,
      readFile: (file: string) => {
        if (file === path) return text;
        return file === 'hub/config.json' ? JSON.stringify(qwen3) : nodeSpecs.readFile(file);
      },
      // The model that the second spec names is not on the machine that runs the tests.
      model: () => 'hub',
    };
    const checked = checkSpec(path, host);
    assert.equal(checked.diagnostics, []);
    return Object.keys(checked.adapters);
  });
  assert.equal(adapters, [['V2'], ['Low'], ['Sees']]);
});

/** Arguments of a line, quotes taken off; two steps of training are enough to see that it works. */
function argumentsOf(line: string): string[] {
  const words = [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''));
  const moved = words.map((word) => word.replace(/^runs/, folder));
  return moved[0] === 'train' ? [...moved, '--steps', '2'] : moved;
}

const commands = [...readme.matchAll(/^npm run graft -- (.+)$/gm)].map(([, line = '']) => line);

t('has commands to try', () => assert.ok(commands.length >= 5));
for (const line of commands)
  t(line, async () => {
    if (/^(train|sweep) examples\/fusion/.test(line)) await buildData();
    const run = promisify(execFile);
    const argv = ['--import', 'tsx', 'runtime/cli/main.ts', ...argumentsOf(line)];
    const { stdout } = await run(process.execPath, argv, { cwd: root, maxBuffer: 1 << 24 });
    // `check` has nothing to say of a clean spec.
    assert.ok(line.startsWith('check') || stdout.trim().length > 0);
  });

t.run();
