/** Sizes that no machine holds, or that would take a compiler hours, are refused at once with the largest of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { command } from '../../runtime/cli/build.ts';
import { runCommand } from './capture.ts';

const t = suite('sizes');

const small = 'layers = 2  dim = 16  heads = 2  ffn = 32  vocab = 64  context = 64';
const spec = (base: string, items: string): string => `base b { ${base} }\nadapter X on b {\n${items}\n}\n`;

/** What the checker says of a spec: message and note of each diagnostic. */
const saidOf = (base: string, items = ''): string =>
  checkSpec('x.adapter', memoryHost({ 'x.adapter': spec(base, items) }))
    .diagnostics.map(({ message, notes }) => [message, ...notes].join('\n'))
    .join('\n');

t('a base of more numbers than any machine holds names its largest sizes', () => {
  const said = saidOf('layers = 4096  dim = 1048576  heads = 4096  ffn = 65536  vocab = 1024  context = 64');
  assert.match(said, /`b` has 1\.9e\+16 numbers, at most 4\.4e\+12 are possible/);
  assert.match(said, /its largest sizes are `dim` 1048576, `ffn` 65536, `layers` 4096/);
  assert.is(saidOf('layers = 80  dim = 8192  heads = 64  ffn = 22016  vocab = 32000  context = 2048'), '');
});

t('so do an encoder and a projector', () => {
  const eye = (sizes: string): string => `encoder eye { model = vit(resolution: 8, patch: 4, ${sizes}) }\n`;
  assert.match(
    saidOf(small, eye('width: 1048576, layers: 64, heads: 2')),
    /`eye` has 8\.4e\+14 numbers[^]*`hidden` 4194304, `width` 1048576, `layers` 64/,
  );
  const wide = 'project p from eye { kind = queries  length = 2  heads = 2  depth = 4096  hidden = 65536 }';
  assert.match(
    saidOf(small, eye('width: 8, layers: 1, heads: 2') + wide),
    /`p` has 2\.1e\+14 numbers[^]*`block_hidden` 262144/,
  );
});

async function build(base: string, items: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'graft-sizes-'));
  try {
    const path = join(folder, 'spec.adapter');
    writeFileSync(path, spec(base, items));
    const out = join(folder, 'package');
    const line = [path, '--profile', 'gpu', '--out', out];
    const { err } = await runCommand(command, line);
    return err;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

t('more layers than are compiled in minutes are refused before they are built', async () => {
  const deep = small.replace('layers = 2', 'layers = 4096').replace('context = 64', 'context = 1048576');
  const said = await build(deep, '');
  assert.match(
    said,
    /`X` is too large to compile: 4096 layers and blocks in 17 programs, 69632 in all, at most 8192/,
  );
  assert.match(said, /help: take fewer of the 4096 layers of the base `b`, or a smaller `context`/);
  const eye = `encoder eye { model = vit(resolution: 8, patch: 4, width: 8, layers: 4000, heads: 2) }
    project seen from eye { length = 2 }
    prompt image on layers[all] from seen`;
  assert.match(await build(small, eye), /take fewer of the 4000 blocks of `eye`/);
  assert.is(await build(small, ''), '');
});

t.run();
