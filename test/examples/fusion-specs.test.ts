import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { designs, type Schedule } from '../../examples/fusion/designs.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';

const t = suite('fusion: specs');
const check = (name: string, params: Readonly<Record<string, string>> = {}) =>
  checkSpec(fileURLToPath(new URL(`../../examples/fusion/${name}.adapter`, import.meta.url)), nodeSpecs, {
    params,
  });
const fusion = check('fusion');
const deep = check('deep');
const specs = { fusion, deep };

const sizesOf = (adapter: string): Map<string, number> => {
  const all = fusion.adapters[adapter]?.parameters ?? [];
  return new Map(all.map((p) => [p.name, p.shape.reduce((a, b) => a * b, 1)]));
};
const trainsOf = (adapter: string, task: string): readonly string[] =>
  fusion.adapters[adapter]?.tasks.find(({ name }) => name === task)?.trains ?? [];
const countOf = (adapter: string, task: string): number => {
  const sizes = sizesOf(adapter);
  return trainsOf(adapter, task).reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
};

t('the specs check without a word', () => {
  for (const { diagnostics } of [fusion, deep, check('eye')])
    assert.equal(
      diagnostics.map((d) => d.message),
      [],
    );
});

t('every design of the table is an adapter with its recipes', () => {
  for (const { adapter, recipes, spec } of Object.values(designs)) {
    const own = specs[spec ?? 'fusion'].adapters[adapter];
    assert.ok(own, adapter);
    for (const name of Object.values(recipes as Record<Schedule, string>))
      assert.ok(
        own?.recipes.some((recipe) => recipe.name === name),
        `${adapter}: ${name}`,
      );
  }
});

t('disjoint designs have nothing in common, shared ones train all that instructions train', () => {
  for (const adapter of ['EarlyDisjoint', 'LateDisjoint', 'EarlyDisjointMixed', 'LateDisjointAsked']) {
    const writing = new Set(trainsOf(adapter, 'instruct'));
    assert.not(
      trainsOf(adapter, 'caption').some((name) => writing.has(name)),
      adapter,
    );
  }
  for (const adapter of ['LateNull', 'EarlyNull']) {
    const blank = new Set(trainsOf(adapter, 'instruct_blank'));
    assert.not(trainsOf(adapter, 'caption').some((name) => blank.has(name)));
  }
  for (const adapter of ['EarlyShared', 'LateShared', 'LateSharedMixed', 'EarlySharedAsked']) {
    const seeing = new Set(trainsOf(adapter, 'caption'));
    assert.ok(
      trainsOf(adapter, 'instruct').every((name) => seeing.has(name)),
      adapter,
    );
  }
});

t('sizes: text 22,736; vision 87,616, and 8 gates more when the image enters early', () => {
  assert.is(countOf('EarlyDisjoint', 'instruct'), 22_736);
  assert.is(countOf('LateDisjoint', 'caption'), 87_616);
  assert.is(countOf('EarlyDisjoint', 'caption'), 87_624);
  assert.is(countOf('EarlyShared', 'caption'), 87_624 + 22_736);
});

t('the image has gates of its own only when it enters early', () => {
  const gates = (adapter: string) => [...sizesOf(adapter).keys()].filter((name) => name.startsWith('image.'));
  assert.equal(gates('EarlyDisjoint'), ['image.layers.0.gate', 'image.layers.1.gate']);
  assert.equal(gates('LateDisjoint'), []);
});

t('the encoder is the same in both specs, frozen in one and trained in the other, and small', () => {
  const vision = (adapters: typeof fusion.adapters, name: string) =>
    (adapters[name]?.parameters ?? []).filter((p) => p.owner === 'vision');
  const shapes = (list: ReturnType<typeof vision>) => list.map((p) => [p.name, p.shape]);
  const eye = check('eye').adapters;
  assert.equal(shapes(vision(eye, 'Apart')), shapes(vision(fusion.adapters, 'EarlyDisjoint')));
  assert.equal(shapes(vision(eye, 'Through')), shapes(vision(eye, 'Apart')));
  const count = vision(eye, 'Apart').reduce((sum, p) => sum + p.shape.reduce((a, b) => a * b, 1), 0);
  // In float16.
  assert.ok(2 * count < 2e6, `${count}`);
  const own = new Set(eye['Apart']?.tasks[0]?.trains);
  assert.ok(vision(eye, 'Apart').every((p) => own.has(p.name)));
  for (const { adapter, spec } of Object.values(designs))
    for (const task of specs[spec ?? 'fusion'].adapters[adapter]!.tasks)
      assert.not(task.trains.some((name) => name.startsWith('vision.')));
});

t('layers can be swept; overlapping ones are a warning', () => {
  assert.equal(check('fusion', { early: 'first 1', late: 'last 5' }).diagnostics.length, 0);
  const overlapping = check('fusion', { early: 'all', late: 'last 1' }).diagnostics;
  assert.ok(overlapping.length > 0 && overlapping.every(({ severity }) => severity === 'warning'));
});

t.run();
