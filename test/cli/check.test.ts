/** What `graft check` says of specs: mistakes, files that are not there, and how much was checked. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { command } from '../../runtime/cli/check.ts';
import { runCommand } from './capture.ts';

const t = suite('graft check');

let folder = '';
t.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-check-'));
});
t.after.each(() => rmSync(folder, { recursive: true, force: true }));

const base = (attributes = ''): string =>
  `base small { layers = 2  dim = 8  heads = 2  ffn = 16  vocab = 32  context = 16 ${attributes} }\n`;
const adapter = (name: string): string =>
  `adapter ${name} on small { bias b on every linear in layers  task t on d trains b }\n`;
const data = 'data d = alpaca("d.json")\n';

function write(text: string, files: readonly string[] = []): string {
  const path = join(folder, 'spec.adapter');
  writeFileSync(path, text);
  for (const file of files) writeFileSync(join(folder, file), '[]');
  return path;
}

t('nothing wrong is said, with the number of adapters', async () => {
  const path = write(base() + data + adapter('One') + adapter('Two'), ['d.json']);
  const { code, out, err } = await runCommand(command, [path]);
  assert.equal([code, out, err], [0, 'no mistakes: 2 adapters checked\n', '']);
});

t('a spec without adapters is told so', async () => {
  const { code, out } = await runCommand(command, [write(base())]);
  assert.equal([code, out], [0, 'no mistakes: no adapter is declared\n']);
});

t('files that are not there are warnings with their place', async () => {
  const path = write(base('weights = "w.safetensors"  tokenizer = "t.json"') + data + adapter('One'));
  const { code, out, err } = await runCommand(command, [path]);
  assert.equal([code, out], [0, 'no errors: 1 adapter checked\n']);
  assert.match(err, /warning\[missing-file\]: \S+w\.safetensors is not there: the weights of `small`/);
  assert.match(err, /t\.json is not there: the tokenizer of `small`/);
  assert.match(err, /d\.json is not there: a file of the data `d`\n --> \S+spec\.adapter:2:1/);
  assert.match(err, /3 warnings/);
});

t('weights of a network beside the base are looked for as well', async () => {
  const eye = `encoder eye { model = vit(resolution: 8, patch: 4, width: 8, layers: 1, heads: 2, weights: "eye.safetensors") }
    project seen from eye { length = 2 }
    prompt image on layers[first 1] from seen`;
  const path = write(`${base()}adapter See on small { ${eye} }\n`);
  const { code, err } = await runCommand(command, [path]);
  assert.is(code, 0);
  assert.match(err, /eye\.safetensors is not there: the weights of `eye`/);
});

t('standard output has diagnostics alone when they are to be read by a program', async () => {
  const path = write(base() + data + adapter('One'));
  const { code, out } = await runCommand(command, [path, '--format', 'json']);
  assert.is(code, 0);
  const lines = out.trim().split('\n');
  assert.equal(
    lines.map((line) => (JSON.parse(line) as { code: string }).code),
    ['missing-file'],
  );
});

t('errors end with their number and exit code 1, and nothing on standard output', async () => {
  const path = write(`${base()}adapter One on smal { }\n`);
  const { code, out, err } = await runCommand(command, [path]);
  assert.equal([code, out], [1, '']);
  assert.match(err, /1 error\n/);
});

t.run();
