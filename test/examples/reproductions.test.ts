/** The reproductions: their specs check clean and stand for the trials they claim, each of which can run. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { checkSpec } from '../../compiler/check/check.ts';
import { gateOf } from '../../compiler/kinds/gate.ts';
import { countModel } from '../../compiler/describe/counts.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { planSweep, type Prepared } from '../../runtime/sweep/plan.ts';

const t = suite('reproductions');
const folder = join(import.meta.dirname, '../../examples/reproductions');
const SEEDS = [0, 1, 2];

/** The trials of a spec's one sweep, by name without the seed; each has every seed. */
async function combinations(file: string): Promise<Map<string, Prepared>> {
  const { trials, sweep } = await planSweep(nodeHost, join(folder, file), {});
  const found = new Map<string, Prepared>();
  for (const { key, work } of trials) {
    if (typeof work === 'string') throw new Error(`${key}: ${work}`);
    found.set(key.replace(/, seed = \d+$/, ''), work);
  }
  assert.equal(sweep.seeds, SEEDS);
  assert.is(trials.length, SEEDS.length * found.size);
  assert.ok(['loss', 'accuracy'].every((measure) => (sweep.measure as readonly string[]).includes(measure)));
  for (const { project, recipe } of found.values()) {
    assert.equal([recipe.steps, recipe.batch], [400, 32]);
    assert.equal(
      project.model.tasks.map(({ fields }) => fields['test']),
      [['heldout']],
    );
  }
  return found;
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.adapter')))
  t(`${file} checks clean`, () => {
    const { diagnostics, sweeps } = checkSpec(join(folder, file), nodeSpecs);
    assert.equal(diagnostics, []);
    assert.is(Object.keys(sweeps).length, 1);
  });

t('gates: closed and trained, open and trained, no gate', async () => {
  const found = await combinations('gates.adapter');
  const gates = [...found.values()].map(({ project }) => {
    const [part] = project.model.parts;
    const gate = part ? gateOf(part) : null;
    return [gate?.function, gate?.init, gate?.per, countModel(project.model).trained];
  });
  assert.equal(gates, [
    ['tanh', 0, 'head', 5136],
    ['tanh', 1, 'head', 5136],
    ['raw', 1, 'const', 5120],
  ]);
});

t('layers: prompts in the last one to six', async () => {
  const found = await combinations('layers.adapter');
  assert.equal(
    [...found.keys()],
    [1, 2, 3, 4, 5, 6].map((n) => `late = last ${n}`),
  );
  const layers = [...found.values()].map(({ project }) => project.model.parts[0]?.layers);
  assert.equal(layers, [[5], [4, 5], [3, 4, 5], [2, 3, 4, 5], [1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]);
});

t('parts: prompts, bias and scale, both, and norms with either', async () => {
  const found = await combinations('parts.adapter');
  const trained = [...found.values()].map(({ project }) => {
    const counts = countModel(project.model).parts;
    return counts.filter(({ numbers }) => numbers > 0).map(({ part }) => part);
  });
  assert.equal(trained, [
    ['biases', 'scales'],
    ['biases', 'scales', 'norms'],
    ['words'],
    ['words', 'biases', 'scales'],
    ['words', 'biases', 'scales', 'norms'],
  ]);
});

t.run();
