/** Test data of tasks: which sources there are, and whether they fit. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec, type Checked } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { testsOf } from '../../compiler/model/model.ts';

const t = suite('test data');

const spec = (test: string, { on = 'some', sees = false } = {}): string => `
base small { layers = 2  dim = 16  heads = 2  ffn = 20  vocab = 264  context = 48 }
data some  = instructions("some.jsonl")
data held  = alpaca("held.jsonl")
data prose = text("prose.txt")
data novel = text("novel.txt")
data pairs = image_text("pairs.jsonl")
data other = image_text("other.jsonl")
adapter It on small {
  prompt words on layers { length = 3 }
  ${
    sees
      ? `encoder vision { model = vit(resolution: 8, patch: 4, width: 8, layers: 1, heads: 2) }
  project visual from vision { length = 2 }
  prompt image on layers[first 1] from visual`
      : ''
  }
  task it on ${on} trains words { ${test} }
  ${sees ? 'task see on pairs trains visual + image' : ''}
}
`;

const check = (...args: Parameters<typeof spec>): Checked =>
  checkSpec('spec.adapter', memoryHost({ 'spec.adapter': spec(...args) }));
const errors = (...args: Parameters<typeof spec>): string[] =>
  check(...args)
    .diagnostics.filter((d) => d.severity === 'error')
    .map((d) => `${d.code} ${d.message}`);
function tests(...args: Parameters<typeof spec>): readonly string[] {
  assert.equal(errors(...args), []);
  const [task] = lowerModel(check(...args), 'It').tasks;
  return task ? testsOf(task) : [];
}

t('a source, a list, or none', () => {
  assert.equal(tests('test = held'), ['held']);
  assert.equal(tests('test = [held, some, held]'), ['held', 'some']);
  assert.equal(tests('test = none'), []);
  assert.equal(tests(''), []);
  assert.equal(tests('test = novel', { on: 'prose' }), ['novel']);
});

t('the sources a model is tested on are among its data', () => {
  const { data } = lowerModel(check('test = held'), 'It');
  assert.equal(
    data.map(({ name }) => name),
    ['some', 'held'],
  );
});

t('unknown sources and empty lists', () => {
  assert.equal(errors('test = hold'), ['A115 there is no data source `hold`']);
  assert.equal(errors('test = [held, hold]'), ['A115 there is no data source `hold`']);
  assert.equal(errors('test = []'), ['A223 `test` names no data']);
  assert.is(errors('test = 3').length, 1);
});

t('examples of another kind', () => {
  assert.equal(errors('test = prose'), ['A223 `it` cannot be tested on `prose`']);
  assert.equal(errors('test = held', { on: 'prose' }), ['A223 `it` cannot be tested on `held`']);
  assert.equal(errors('test = pairs'), ['A223 `pairs` has images, but no prompt reads one']);
});

t('instructions may be tested with an image attached where somebody looks at it', () => {
  assert.equal(tests('test = [held, other]', { sees: true }), ['held', 'other']);
});

t('an override changes it', () => {
  const text = `${spec('test = held')}
adapter Less extends It { override it { test = [some, held] } }
`;
  const checked = checkSpec('spec.adapter', memoryHost({ 'spec.adapter': text }));
  assert.equal(checked.diagnostics, []);
  const [task] = lowerModel(checked, 'Less').tasks;
  assert.equal(task && testsOf(task), ['some', 'held']);
});

t.run();
