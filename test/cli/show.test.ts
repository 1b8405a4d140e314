/** What `graft show` draws: equal layers in one row, cells in words, and within the width of a terminal. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { foldRows, fusionMap } from '../../compiler/describe/fusion-map.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { command, show } from '../../runtime/cli/show.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { runCommand } from './capture.ts';

const t = suite('graft show');
const specs = join(import.meta.dirname, '../../specs');

const modelsOf = (file: string) => {
  const checked = checkSpec(join(specs, file), nodeSpecs);
  return Object.keys(checked.adapters).map((name) => lowerModel(checked, name));
};
const chat = () => modelsOf('v2-chat65b-prompted.adapter').at(-1)!;

t('runs of equal layers are one row, in words', () => {
  const lines = show(chat()).split('\n');
  assert.ok(lines.includes('0..49       all linears  all linears  all norms  -'), lines.join('\n'));
  assert.ok(lines.includes('50..79      all linears  all linears  all norms  10 tokens'), lines.join('\n'));
  assert.ok(lines.length < 25);
});

t('--wide has every row, and the shapes', () => {
  const said = show(chat(), true, Infinity);
  for (let layer = 0; layer < 80; layer++) assert.match(said, new RegExp(`^${layer} +all linears`, 'm'));
  assert.match(said, /30 x \[10, 8192\]/);
});

t('folding keeps apart what differs, and what is no layer', () => {
  const row = (place: string, words: string) => ({ place, cells: [words], words: [words] });
  const rows = [
    row('input', 'a'),
    row('0', 'a'),
    row('1', 'a'),
    row('2', 'b'),
    row('3', 'a'),
    row('norm', 'a'),
  ];
  assert.equal(
    foldRows(rows).map(({ place, words }) => `${place} ${words[0]}`),
    ['input a', '0..1 a', '2 b', '3 a', 'norm a'],
  );
});

t('the map of every spec of the library fits 80 columns', () => {
  const files = readdirSync(specs).filter((file) => file.endsWith('.adapter') && file !== 'bases.adapter');
  assert.ok(files.length > 15);
  for (const file of files)
    for (const model of modelsOf(file)) {
      const [, map = ''] = show(model).split('\n\n');
      const lines = map.split('\n');
      for (const line of lines) assert.ok(line.length <= 80, `${file}: ${line}`);
      // An adapter without parts has no map.
      const { rows } = model.parts.length > 0 ? fusionMap(model) : { rows: [] };
      for (const { place } of foldRows(rows))
        assert.ok(
          lines.some((line) => line.startsWith(`${place} `)),
          `${file} has no row of ${place}`,
        );
    }
});

t('columns that are too many for the terminal become lines', () => {
  const said = show(chat(), false, 40);
  assert.match(said, /^50\.\.79 +scales +scale +all linears +trained by chat$/m);
  assert.match(said, /^ +words +prompt +10 tokens +trained by chat$/m);
});

t('weights that are not there are told with how to get them', async () => {
  const { code, out, err } = await runCommand(command, [join(specs, 'bitfit.adapter')]);
  assert.is(code, 0);
  assert.match(out, /^BitFit on llama7b/);
  assert.match(err, /the weights of `llama7b` are not there \(\S+\): `graft pull ORG\/NAME`/);
  const { out: data, err: silent } = await runCommand(command, [join(specs, 'bitfit.adapter'), '--json']);
  assert.is(silent, '');
  assert.is((JSON.parse(data) as { adapter: string }[])[0]?.adapter, 'BitFit');
});

t.run();
