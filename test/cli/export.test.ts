/** `graft export`: folders of PEFT and official checkpoints from a spec and its trained parts. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { attributesOf } from '../../compiler/kinds/attributes.ts';
import { command as exportCommand } from '../../runtime/cli/export.ts';
import { openWeights } from '../../runtime/files.ts';
import { openPeft } from '../../runtime/files/peft.ts';
import { writeSafetensors } from '../../runtime/files/write.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { loadModel } from '../../runtime/project/spec.ts';
import { adapterMetadata, importAdapter } from '../../runtime/weights/adapter.ts';
import { randomValues } from '../compiler/subjects.ts';
import { runCommand } from './capture.ts';
import { makeProject } from './tiny-project.ts';

const t = suite('export: command');
const folder = mkdtempSync(join(tmpdir(), 'graft-export-'));
const at = (name: string): string => join(folder, name);
t.before(async () => {
  await makeProject(folder);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

/** A spec with these parts and a file of random numbers for them. */
async function trained(name: string, items: string) {
  const spec = at(`${name}.adapter`);
  writeFileSync(spec, `import "base.adapter"\nadapter X on small {\n${items}\n}\n`);
  const model = loadModel(nodeHost, spec);
  const values = randomValues(model);
  const own = model.parameters.filter(({ owner }) => owner !== 'base');
  const file = at(`${name}.safetensors`);
  await writeSafetensors(
    file,
    own.map(({ name, shape }) => ({ name, shape, values: values.get(name)! })),
    adapterMetadata({ ...model, attributes: attributesOf(model) }, '', ''),
  );
  return { spec, file, model, values };
}

const low = 'lora low on layers.attention.{wq, wv} { rank = 2  alpha = 6 }';

t('a folder of PEFT', async () => {
  const { spec, file } = await trained('low', low);
  const out = at('peft');
  const { code, err } = await runCommand(exportCommand, [
    ...[spec, '--adapter', file, '--format', 'peft', '--out', out],
  ]);
  assert.is(code, 0, err);
  const { config, source } = await openPeft(out);
  assert.equal([config.type, config.base, source.tensors.size], ['LORA', folder, 8]);
  assert.equal(source.metadata, { format: 'pt' });
  await source.close();
  const text = readFileSync(join(out, 'adapter_config.json'), 'utf8');
  assert.match(text, /"lora_alpha": 6,\n {2}"lora_dropout": 0,/);
});

t('the base has the name that --base-name says', async () => {
  const { spec, file } = await trained('named', low);
  const out = at('peft-named');
  const argv = [spec, '--adapter', file, '--format', 'peft', '--out', out, '--base-name', 'org/model'];
  const { code, err } = await runCommand(exportCommand, argv);
  assert.is(code, 0, err);
  assert.match(
    readFileSync(join(out, 'adapter_config.json'), 'utf8'),
    /"base_model_name_or_path": "org\/model"/,
  );
});

for (const [family, items] of [
  ['v1', 'prompt words on layers { length = 2 }'],
  ['chat65b', 'bias b on every linear in layers\nscale s on every linear in layers { side = input }'],
  ['mm7b', 'bias b on every linear in layers\nlora low on layers.attention.{wq, wv} { rank = 2 }'],
] as const)
  t(`an official checkpoint of ${family}, which is read as it was`, async () => {
    const { spec, file, model, values } = await trained(family, items);
    const out = at(`${family}-official.safetensors`);
    const argv = [spec, '--adapter', file, '--format', 'official', '--family', family, '--out', out];
    const { code, err } = await runCommand(exportCommand, argv);
    assert.is(code, 0, err);
    const source = await openWeights(out);
    const back = await importAdapter(source, model);
    await source.close();
    assert.equal([back.format, back.missing, back.unused], [family, [], []]);
    for (const [name, numbers] of back.values) assert.equal(numbers, values.get(name), name);
  });

const refused: readonly [string, string, string, readonly string[], RegExp][] = [
  [
    'an update with a factor of its own',
    'factor',
    low,
    ['official', '--family', 'mm7b'],
    /`mm7b` format has no place for `low` \(lora\): its update is multiplied by 3/,
  ],
  [
    'an update of prompts',
    'prompts',
    'lora low on layers.attention.wq { on_prompts = true }',
    ['official', '--family', 'mm7b'],
    /`low` \(lora\): its update is on the keys and values of prompts/,
  ],
  [
    'lengths of rows',
    'dora',
    'lora low on layers.attention.wq { dora = true }',
    ['official', '--family', 'mm7b'],
    /has no place for low\.layers\.0\.attention\.wq\.m|`low` \(lora\): its rows have lengths/,
  ],
  [
    'another gate',
    'raw',
    'prompt p on layers { length = 2  gate = raw(init: 1, per: head) }',
    ['official', '--family', 'v1'],
    /`p` \(prompt\): its gate is another/,
  ],
  [
    'a part without a name there',
    'noname',
    'bias b on layers.attention.wq',
    ['official', '--family', 'v1'],
    /`v1` format has no place for b\.layers\.0\.attention\.wq/,
  ],
  [
    'a part that PEFT has no method for',
    'none',
    'bias b on layers.attention.wq',
    ['peft'],
    /no part that PEFT has a method for/,
  ],
  ['another format', 'format', low, ['gguf'], /--format is one of peft, official/],
  [
    'a family that is none',
    'family',
    low,
    ['official', '--family', 'v9'],
    /--family is one of v1, chat65b, mm7b, imb/,
  ],
];
for (const [what, name, items, format, message] of refused)
  t(`${what} is refused, and nothing is written`, async () => {
    const { spec, file } = await trained(name, items);
    const out = at(`${name}-out${format[0] === 'peft' ? '' : '.safetensors'}`);
    const argv = [spec, '--adapter', file, '--format', ...format, '--out', out];
    const { code, err } = await runCommand(exportCommand, argv);
    assert.is.not(code, 0);
    assert.match(err, message);
    assert.not.ok(existsSync(out));
  });

t('other attributes than those of training are refused', async () => {
  const { file } = await trained('before', low);
  const { spec } = await trained('after', low.replace('alpha = 6', 'alpha = 7'));
  const argv = [spec, '--adapter', file, '--format', 'peft', '--out', at('changed')];
  const { code, err } = await runCommand(exportCommand, argv);
  assert.is(code, 1);
  assert.match(err, /alpha was 6 when it was trained, and is 7 here/);
  const { code: allowed } = await runCommand(exportCommand, [...argv, '--allow-changes']);
  assert.is(allowed, 0);
});

t.run();
