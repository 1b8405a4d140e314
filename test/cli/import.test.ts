/** `graft import`: what it writes, where it finds the base, and what it will not do. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sitesOf } from '../../compiler/families/sites.ts';
import { command as check } from '../../runtime/cli/check.ts';
import { command as generate } from '../../runtime/cli/generate.ts';
import { command as importCommand } from '../../runtime/cli/import.ts';
import { openWeights } from '../../runtime/files.ts';
import { writeSafetensors } from '../../runtime/files/write.ts';
import { withDevice } from '../compiler/sessions.ts';
import { low, loraConfig } from '../peft/folder.ts';
import { runCommand } from './capture.ts';
import { base, makeProject } from './tiny-project.ts';

const t = suite('import: command');
const folder = mkdtempSync(join(tmpdir(), 'graft-import-'));
const at = (name: string): string => join(folder, name);
t.after(() => rmSync(folder, { recursive: true, force: true }));

/** A folder of PEFT on the base of the tiny project. */
async function adapter(name: string, changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  mkdirSync(at(name));
  writeFileSync(join(at(name), 'adapter_config.json'), JSON.stringify({ ...loraConfig, ...changes }));
  const sites = sitesOf(base).filter((site) => /w[qv]$/.test(site.name));
  await writeSafetensors(
    join(at(name), 'adapter_model.safetensors'),
    sites.flatMap((site) => low(site, 2)),
  );
  return at(name);
}

t.before(async () => {
  await makeProject(folder);
  await adapter('lora');
});

const of = ['--base', at('base.adapter:small')];

t('a spec that misses nothing but data, and an adapter that it can be asked with', async () => {
  const spec = at('mine.adapter');
  const { code, out, err } = await runCommand(importCommand, [at('lora'), '--spec-out', spec, ...of]);
  assert.is(code, 0, err);
  assert.match(out, /mine\.adapter: LORA on `small` as `low` \(lora\)\n.*mine\.safetensors: 8 tensors/);
  assert.match(
    readFileSync(spec, 'utf8'),
    /lora low on layers\.attention\.\{wq, wv\} \{ rank = 2 +alpha = 6 \}/,
  );
  const checked = await runCommand(check, [spec]);
  assert.is(checked.code, 0);
  assert.match(checked.err, /^warning\[missing-file\]: .*examples\.json is not there[^]*\n1 warning\n$/);
  const file = await openWeights(at('mine.safetensors'));
  assert.equal(Object.keys(file.metadata).sort(), [
    'adapter',
    'attributes',
    'base',
    'format',
    'rope',
    'spec',
  ]);
  await file.close();
  await withDevice(async () => {
    const ask = ['--prompt', 'abc=', '--max-tokens', '6'];
    const asked = await runCommand(generate, [spec, '--adapter', at('mine.safetensors'), ...ask]);
    assert.equal([asked.code, asked.err], [0, '']);
  });
});

t('a file of the folder means the folder, and --out is where it says', async () => {
  const file = join(at('lora'), 'adapter_model.safetensors');
  const outs = ['--spec-out', at('other.adapter'), '--out', at('numbers.safetensors')];
  const { code, err } = await runCommand(importCommand, [file, ...outs, ...of]);
  assert.is(code, 0, err);
  assert.ok(existsSync(at('numbers.safetensors')) && !existsSync(at('other.safetensors')));
});

t('the base that the adapter names, where it is a folder', async () => {
  const model = at('model');
  mkdirSync(model);
  const config = {
    model_type: 'llama',
    num_hidden_layers: base.layers,
    hidden_size: base.dim,
    num_attention_heads: base.heads,
    num_key_value_heads: base.kvHeads,
    intermediate_size: base.ffn,
    vocab_size: base.vocab,
    max_position_embeddings: base.context,
    rms_norm_eps: base.normEps,
    rope_theta: base.rope.theta,
    hidden_act: 'silu',
  };
  writeFileSync(join(model, 'config.json'), JSON.stringify(config));
  await adapter('named', { base_model_name_or_path: model });
  const spec = at('named.adapter');
  const { code, err } = await runCommand(importCommand, [at('named'), '--spec-out', spec]);
  assert.is(code, 0, err);
  assert.match(readFileSync(spec, 'utf8'), /^base \w+ from "/m);
});

const refused: readonly [string, () => Promise<readonly string[]>, RegExp, number][] = [
  [
    'a base that is nowhere',
    async () => [await adapter('hub', { base_model_name_or_path: 'made/up' }), '--spec-out', at('x.adapter')],
    /is of `made\/up`, which is neither a folder nor in the hub's cache.*--base FOLDER/s,
    1,
  ],
  [
    'a file that is there',
    () => Promise.resolve([at('lora'), '--spec-out', at('mine.adapter'), ...of]),
    /mine\.adapter exists/,
    1,
  ],
  [
    'a folder that PEFT did not write',
    () => Promise.resolve([folder, '--spec-out', at('x.adapter'), ...of]),
    /has no adapter_config\.json/,
    1,
  ],
  [
    'a key that is not understood',
    async () => [await adapter('biased', { lora_bias: true }), '--spec-out', at('x.adapter'), ...of],
    /`lora_bias` is true, which is not understood/,
    1,
  ],
  ['no spec to write', () => Promise.resolve([at('lora')]), /--spec-out takes a FILE\.adapter/, 2],
];
for (const [what, argv, message, exit] of refused)
  t(`${what} is refused, and nothing is written`, async () => {
    const { code, err } = await runCommand(importCommand, await argv());
    assert.is(code, exit);
    assert.match(err, message);
    assert.not.ok(existsSync(at('x.adapter')) || existsSync(at('x.safetensors')));
  });

t('both files are written or none', async () => {
  const line = [at('lora'), '--spec-out', at('none/half.adapter'), '--out', at('half.safetensors'), ...of];
  const { code, err } = await runCommand(importCommand, line);
  assert.is(code, 1);
  assert.match(err, /cannot write .*half\.adapter[^]*the folder does not exist: make it first/);
  assert.not.ok(existsSync(at('half.safetensors')));
});

t.run();
