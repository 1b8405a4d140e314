/** docs/sweep.md is true: its spec checks, and what it says of options and measures is so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { measures, trialsOf } from '../../compiler/model/sweep.ts';
import { command } from '../../runtime/cli/sweep.ts';
import { planSweep } from '../../runtime/sweep/plan.ts';

const t = suite('docs/sweep.md');
const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'docs/sweep.md'), 'utf8');
const base = readFileSync(join(root, 'examples/base/base.adapter'), 'utf8');

t('its spec checks clean', () => {
  const [, spec = ''] = /```adapter\n([^]*?)```/.exec(text) ?? [];
  const { diagnostics, sweeps } = checkSpec(
    'it.adapter',
    memoryHost({ 'it.adapter': spec, 'base.adapter': base }),
  );
  assert.equal(diagnostics, []);
  assert.is(sweeps['layers'] && trialsOf(sweeps['layers']).length, 9);
});

t('its command takes the trials it says', async () => {
  const [, path = '', only = ''] = /npm run graft -- sweep (\S+) .*--only "([^"]*)"/.exec(text) ?? [];
  const { trials } = await planSweep(nodeHost, join(root, path), { steps: 20 });
  assert.is(trials.filter(({ key }) => key.includes(only)).length, 6);
});

t('every option and every measure is in it', () => {
  for (const [option] of command.usage.matchAll(/--[a-z]+/g))
    if (!['--set', '--base'].includes(option)) assert.ok(text.includes(option), option);
  for (const measure of measures) assert.ok(text.includes(`| \`${measure}\``), measure);
});

t.run();
