import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileURLToPath } from 'node:url';
import { checkSpec } from '../../compiler/check/check.ts';
import { nodeSpecs } from '../../runtime/hosts/node-specs.ts';
import { mixture, rowLength, vocabSize } from '../../examples/base/tokens.ts';
import { longest, template } from '../../examples/base/words.ts';

const t = suite('base: specs');
const check = (name: string) =>
  checkSpec(fileURLToPath(new URL(`../../examples/base/${name}.adapter`, import.meta.url)), nodeSpecs);

/** Numbers each method trains. */
const trained = { V2: 22_736, V1: 5_136, Lora: 117_120, Full: 1_449_600 } as const;
const files = { V2: 'instruct', V1: 'v1', Lora: 'lora', Full: 'full' } as const;

for (const [name, count] of Object.entries(trained) as [keyof typeof trained, number][]) {
  t(`${name} checks without a word and trains ${count} numbers`, () => {
    const { diagnostics, adapters } = check(files[name]);
    assert.equal(
      diagnostics.map((d) => d.message),
      [],
    );
    const adapter = adapters[name]!;
    const task = adapter.tasks[0]!;
    const sizes = new Map(adapter.parameters.map((p) => [p.name, p.shape.reduce((a, b) => a * b, 1)]));
    assert.is(
      task.trains.reduce((sum, parameter) => sum + sizes.get(parameter)!, 0),
      count,
    );
    assert.is(task.fields['template'], `${template}{output}`);
    assert.is(task.fields['max_tokens'], longest);
    assert.is(adapter.base.vocab, vocabSize);
  });
}

t('the two stages of pre-training train the whole base on windows of their own', () => {
  const { diagnostics, adapters } = check('pretrain');
  assert.equal(
    diagnostics.map((d) => d.message),
    [],
  );
  for (const adapter of Object.values(adapters)) {
    assert.equal(
      adapter.tasks[0]!.trains,
      adapter.parameters.map((p) => p.name),
    );
  }
  assert.is(adapters['Copying']!.tasks[0]!.fields['max_tokens'], rowLength);
  assert.is(adapters['Copying']!.recipes[0]!.batch, mixture.text + mixture.repeats + mixture.dictionary);
});

t('the deeper base has twice the layers and is trained whole on the rows of the second stage', () => {
  const { diagnostics, adapters } = check('deep');
  assert.equal(
    diagnostics.map((d) => d.message),
    [],
  );
  const { base, parameters, tasks } = adapters['Growing']!;
  const { layers, ...rest } = check('full').adapters['Full']!.base;
  assert.equal({ ...base, name: rest.name, weights: rest.weights }, { ...rest, layers: 2 * layers });
  assert.equal(
    tasks[0]!.trains,
    parameters.map((p) => p.name),
  );
  assert.is(
    parameters.reduce((sum, p) => sum + p.shape.reduce((a, b) => a * b, 1), 0),
    2_636_928,
  );
});

t.run();
