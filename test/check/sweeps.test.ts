/** Sweeps as data: their axes, what `where` leaves, the trials they stand for, and what is wrong with them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkSpec, type Checked, type CheckOptions } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import { measures, type Sweep, trialsOf } from '../../compiler/model/sweep.ts';
import { base as otherBase } from '../cli/tiny-project.ts';

const t = suite('sweeps');

const base = `base small {
  layers = 6  dim = 16  heads = 2  ffn = 20  vocab = 264  context = 48
}
`;

const spec = (sweep: string, params = ''): string => `${base}
param late  = last 2
param early = first 1
param many  = 4
param gate  = tanh(init: 0)
param init  = 0.5
param form  = alpaca
param speed = 1e-3
${params}

data some = instructions("some.jsonl")

adapter Two on small {
  prompt words on layers[late]  { length = many  gate = gate }
  prompt other on layers[early] { length = 3 }
  bias   biases on every linear { init = init }
  task one on some trains words + other + biases { template = form }
}

recipe short for Two { steps = 10  optimizer = adamw(lr: speed) }

/// What it is about.
sweep it over Two with short {
  ${sweep}
}
`;

const check = (sweep: string, params = '', options: CheckOptions = {}): Checked =>
  checkSpec('spec.adapter', memoryHost({ 'spec.adapter': spec(sweep, params) }), options);

function sweepOf(...args: Parameters<typeof check>): Sweep {
  const { sweeps, diagnostics } = check(...args);
  assert.equal(
    diagnostics.filter((d) => d.severity === 'error').map((d) => d.message),
    [],
  );
  assert.ok(sweeps['it']);
  return sweeps['it'];
}

const keys = (...args: Parameters<typeof check>): string[] =>
  trialsOf(sweepOf(...args)).map(({ key }) => key);
/** Code, message, and the text it points at. */
const errors = (sweep: string, params = ''): string[] =>
  check(sweep, params)
    .diagnostics.filter((d) => d.severity === 'error')
    .map((d) => `${d.code} ${d.message}: ${spec(sweep, params).slice(d.span.start, d.span.end)}`);

t('a sweep is plain data', () => {
  const sweep = sweepOf('late = [last 1, 0..4 by 2]  many = [2, 8]  seed = [7]  measure = [accuracy, loss]');
  assert.equal(JSON.parse(JSON.stringify(sweep)), sweep);
  assert.equal(
    [sweep.name, sweep.adapter, sweep.recipe, sweep.doc],
    ['it', 'Two', 'short', 'What it is about.'],
  );
  assert.equal(sweep.measure, ['loss', 'accuracy']);
  assert.equal(sweep.axes, [
    {
      param: 'late',
      values: [
        { text: 'last 1', number: null, layers: [5] },
        { text: '0..4 by 2', number: null, layers: [0, 2, 4] },
      ],
    },
    {
      param: 'many',
      values: [
        { text: '2', number: 2, layers: [2] },
        { text: '8', number: 8, layers: null },
      ],
    },
  ]);
});

t('every combination, seed by seed, the first list varying slowest', () => {
  assert.equal(keys('late = [last 1, last 2]  many = [2, 8]  seed = [1, 0]'), [
    'late = last 1, many = 2, seed = 1',
    'late = last 1, many = 8, seed = 1',
    'late = last 2, many = 2, seed = 1',
    'late = last 2, many = 8, seed = 1',
    'late = last 1, many = 2, seed = 0',
    'late = last 1, many = 8, seed = 0',
    'late = last 2, many = 2, seed = 0',
    'late = last 2, many = 8, seed = 0',
  ]);
});

t("without seeds the recipe's own, without measures all of them, without params one trial a seed", () => {
  const sweep = sweepOf('many = [2]');
  assert.equal(trialsOf(sweep), [{ key: 'many = 2', params: { many: '2' }, seed: null, combination: 0 }]);
  assert.equal(sweep.measure, [...measures]);
  assert.equal(keys('seed = [3, 4, 3]'), ['seed = 3', 'seed = 4']);
  assert.equal(keys(''), ['as written']);
});

t('where compares layers as sets', () => {
  const lists = 'late = [last 2, last 4]  early = [none, first 1, [2, 3], 4..5]';
  const left = keys(`${lists}  where early & late == none`).map((key) =>
    key.replace(/late = |early = /g, ''),
  );
  assert.equal(left, [
    'last 2, none',
    'last 2, first 1',
    'last 2, [2, 3]',
    'last 4, none',
    'last 4, first 1',
  ]);
  assert.equal(keys(`${lists}  where early == late`), ['late = last 2, early = 4..5']);
  assert.is(keys(`${lists}  where early != late`).length, 7);
  assert.is(keys(`${lists}  where early + late != all  where early != none`).length, 6);
});

t('where compares numbers, words and calls', () => {
  assert.equal(keys('many = [2, 64, 100]  where many != 64'), ['many = 2', 'many = 100']);
  assert.equal(keys('speed = [1e-3, 0.002]  where speed == 0.001'), ['speed = 1e-3']);
  assert.equal(keys('init = [0, normal(std: 2)]  where init != normal(std: 2)'), ['init = 0']);
  assert.equal(keys('form = [alpaca, "{instruction}{output}"]  where form == alpaca'), ['form = alpaca']);
});

t('where sees params that follow from what varies', () => {
  const params = 'param most = 2\nparam deep = last most';
  const sweep = 'most = [1, 2, 3]  where deep & 4..4 == none';
  assert.equal(keys(sweep, params), ['most = 1']);
});

t('every kind of value works as for a param', () => {
  const lists =
    'gate = [tanh(init: 0), raw(init: 1, per: const), none]  init = [0, normal(std: 1)]  form = ["{instruction}{output}"]  speed = [5%]';
  for (const { params } of trialsOf(sweepOf(lists))) {
    const checked = check('', '', { params, withoutSweeps: true });
    assert.equal(checked.diagnostics, [], JSON.stringify(params));
    const model = lowerModel(checked, 'Two');
    assert.is(model.recipes[0]?.optimizer.lr, 0.05);
    assert.is(model.tasks[0]?.fields['template'], '{instruction}{output}');
    const gate = model.parts.find(({ name }) => name === 'words')?.fields['gate'];
    assert.is(gate === null, params['gate'] === 'none');
  }
});

t('a value that makes no sense anywhere is told at its place', () => {
  assert.equal(errors('late = [last 1, last 7]'), ['A105 there are no 7 layers to take: last 7']);
  assert.equal(errors('many = [2, none, 0]'), ['A120 0 is out of range: 0']);
  assert.equal(errors('gate = [tanh(init: 0), than(init: 0)]'), [
    'A122 `than` is not one of the choices: than(init: 0)',
  ]);
  assert.equal(errors('speed = [1, fast]').length, 1);
  assert.equal(errors('late = [late, last 2]'), ['A116 the param `late` refers to itself: late']);
});

t('a value that fits some combinations is no mistake', () => {
  const params = 'param some_layers = first 1\nparam inner = last 1 in some_layers';
  const sweep = sweepOf(
    'some_layers = [first 1, first 3]  inner = [last 1 in some_layers, last 2 in some_layers]',
    params,
  );
  assert.is(trialsOf(sweep).length, 4);
});

t('what is wrong with lists, names and conditions', () => {
  assert.equal(errors('lat = [last 1]'), ['A211 a sweep cannot vary `lat`: lat']);
  assert.equal(errors('late = last 1'), ['A119 expected a list, not layers: last 1']);
  assert.equal(errors('late = []'), ['A221 the sweep has no trials: []']);
  assert.equal(errors('seed = [1, 1.5]').length, 1);
  assert.equal(errors('seed = [-1]').length, 1);
  assert.equal(errors('measure = [loss, losses]'), ['A122 `losses` is not one of the choices: losses']);
  assert.equal(errors('late = [last 1]  late = [last 2]'), ['A121 `late` is given twice: late']);
  assert.equal(errors('late = [last 1]  where late & erly == none'), ['A104 there is no value `erly`: erly']);
  assert.equal(errors('late = [last 1]  where late == last 2'), ['A221 the sweep has no trials: it']);
  const ten = '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]';
  const five = ['a', 'b', 'c', 'd', 'e'];
  const lists = five.map((name) => `${name} = ${ten}`).join('  ');
  assert.equal(errors(lists, five.map((name) => `param ${name} = 0`).join('\n')), [
    'A222 `it` has 100000 combinations: it',
  ]);
});

t('a recipe for another adapter is refused', () => {
  const text = `${spec('many = [1]')}
adapter Other on small { bias all on every linear  task one on some trains all }
sweep wrong over Other with short { many = [1] }
`;
  const { diagnostics } = checkSpec('spec.adapter', memoryHost({ 'spec.adapter': text }));
  assert.equal(
    diagnostics.map((d) => `${d.code} ${d.message}`),
    ['A111 `short` is no recipe for `Other`'],
  );
});

t('on another base what does not fit is left to the trials', () => {
  const sweep = sweepOf('late = [last 1, last 3]', '', { base: otherBase });
  assert.equal(
    trialsOf(sweep).map(({ key }) => key),
    ['late = last 1', 'late = last 3'],
  );
  const trial = check('', '', { base: otherBase, params: { late: 'last 3' }, withoutSweeps: true });
  assert.match(trial.diagnostics.map((d) => d.message).join(), /there are no 3 layers to take/);
});

t('imported sweeps stay where they are', () => {
  const files = { 'spec.adapter': 'import "other.adapter"\n', 'other.adapter': spec('late = [last 7]') };
  const { sweeps } = checkSpec('spec.adapter', memoryHost(files));
  assert.equal(sweeps, {});
});

t.run();
