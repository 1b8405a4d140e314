import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';

const t = suite('an image that enters nowhere');

const spec = `
base small { layers = 4  dim = 16  heads = 2  ffn = 24  vocab = 64 }
param early = first 1 in layers
data pairs = image_text("pairs.jsonl")
data texts = instructions("texts.jsonl")

adapter Shared on small {
  bias    biases on every linear in layers
  encoder vision { model = vit(resolution: 16, patch: 8, width: 8, layers: 1, heads: 2) }
  project visual from vision { length = 2 }
  prompt  image on layers[early] from visual
  task caption on pairs trains visual + image + biases { shared = true  test = pairs }
  task instruct on texts trains biases { shared = true  test = pairs }
}

adapter Apart extends Shared {
  override caption trains visual + image
}

recipe both for Shared { steps = 10 }
`;
const check = (early: string, adapter?: string) =>
  checkSpec('x.adapter', memoryHost({ 'x.adapter': spec }), {
    params: { early },
    ...(adapter === undefined ? {} : { adapter }),
  });
const codesOf = (checked: ReturnType<typeof check>) => checked.diagnostics.map(({ code }) => code);

t('with layers, nothing is said', () => {
  const { adapters, diagnostics } = check('first 1');
  assert.equal(
    diagnostics.map((d) => d.message),
    [],
  );
  assert.ok(adapters['Shared']?.parts.some(({ kind }) => kind === 'encoder'));
});

t('with none, the task learns without looking: encoder, projector and prompt are left out', () => {
  const checked = check('none', 'Shared');
  assert.equal(codesOf(checked), ['A304']);
  const { parts = [], parameters = [], tasks = [], recipes = [] } = checked.adapters['Shared'] ?? {};
  assert.equal(
    parts.map(({ name }) => name),
    ['biases'],
  );
  assert.not(parameters.some(({ owner }) => ['vision', 'visual', 'image'].includes(owner)));
  const caption = tasks.find(({ name }) => name === 'caption');
  assert.ok(caption?.trains.every((name) => name.startsWith('biases.')) && caption.trains.length > 0);
  assert.equal(
    recipes.map(({ name }) => name),
    ['both'],
  );
});

t('a task that trains nothing else is an error, which does not touch another adapter', () => {
  assert.equal([...new Set(codesOf(check('none')))].sort(), ['A205', 'A304']);
  assert.equal(codesOf(check('none', 'Apart')), ['A205']);
  assert.equal(codesOf(check('none', 'Shared')), ['A304']);
});

t.run();
