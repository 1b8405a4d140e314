/** Every gradient rule against central finite differences, in float64 through the references. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { view } from '../../compiler/graph/builder.ts';
import { extent } from '../../compiler/graph/tape.ts';
import { type Gate, IGNORE, type OpName, type Tensor } from '../../compiler/graph/graph.ts';
import { interpret } from '../../compiler/ops/interpret.ts';
import { axis, padded } from '../../compiler/model/model.ts';
import { ops } from '../../compiler/ops/index.ts';
import { plainFrequencies } from '../../compiler/families/rotary.ts';
import { ropeTable } from '../../compiler/package/constants.ts';
import { checked, checkGradients, CLOSE, makeTrial, quotients, type Trial } from './differences.ts';

const t = suite('gradients');

function check(name: string, build: (trial: Trial) => Tensor, padding: 'zero' | 'any' = 'zero'): void {
  t(name, () => checkGradients(build, padding));
}

const HEADS = axis(3, 2);

check('addBias', ({ g, matrix, row }) => g.addBias(matrix('x', 4, HEADS), row('v', HEADS)));
check('mulScale', ({ g, matrix, row }) => g.mulScale(matrix('x', 4, HEADS), row('v', HEADS)));
check('add', ({ g, matrix, row }) =>
  g.add(g.mulScale(matrix('a', 4, HEADS), row('v', HEADS)), matrix('b', 4, HEADS)),
);
check('mul', ({ g, matrix }) => g.mul(matrix('a', 3, axis(5)), matrix('b', 3, axis(5))));
check('mul of one tensor', ({ g, matrix }) => {
  const x = matrix('x', 3, axis(5));
  return g.mul(x, x);
});
check('softCap', ({ g, matrix }) => g.softCap(matrix('x', 4, HEADS), { cap: 0.7 }));
check('siluMul', ({ g, matrix }) => g.siluMul(matrix('u', 3, axis(5)), matrix('v', 3, axis(5))));
check('siluMul of one tensor', ({ g, matrix }) => {
  const x = matrix('x', 3, axis(5));
  return g.siluMul(x, x);
});
check('rmsnorm', ({ g, matrix, row }) => g.rmsnorm(matrix('x', 3, axis(7)), row('w', axis(7)), 1e-3));
check('rmsnorm and what goes round it', ({ g, matrix, row }) => {
  const x = matrix('x', 3, axis(7));
  return g.add(x, g.rmsnorm(x, row('w', axis(7)), 1e-3));
});

check('inverseNorms: a length of its own for each row, the norm held fixed', ({ g, matrix, row }) => {
  const [x, w] = [matrix('x', 4, axis(5)), matrix('w', padded(HEADS), axis(5))];
  const [a, b] = [matrix('a', 4, axis(5)), matrix('b', padded(HEADS), axis(4))];
  const y = g.add(g.linear(g.linear(x, a, axis(4)), b, HEADS, 0.7), g.linear(x, w, HEADS));
  return g.mulScale(y, g.mulScale(row('m', HEADS), g.inverseNorms(w, b, a, HEADS, { scale: 0.7 })));
});

for (const ax of [axis(7), HEADS]) {
  const label = `${ax.groups}x${ax.size}`;
  check(`layernorm over ${label}`, ({ g, matrix, row }) =>
    g.layernorm(matrix('x', 3, ax), row('w', ax), row('b', ax), 1e-3),
  );
  check(`layernorm and what goes round it, over ${label}`, ({ g, matrix, row }) => {
    const x = matrix('x', 3, ax);
    return g.add(x, g.layernorm(x, row('w', ax), row('b', ax), 1e-3));
  });
}

for (const fn of ['gelu', 'geluTanh', 'quickGelu', 'silu', 'relu'] as const)
  check(`activate by ${fn}`, ({ g, matrix, row }) =>
    // Scaled, so that the tails are reached too.
    g.activate(g.mulScale(matrix('x', 5, HEADS), g.add(row('v', HEADS), row('w', HEADS))), { function: fn }),
  );

for (const style of ['interleaved', 'half'] as const)
  for (const inverse of [false, true])
    check(`rope ${style}${inverse ? ' inverse' : ''}`, ({ g, values, matrix, words }) => {
      const table = g.tensor('table', 9, axis(6), 'constants');
      values.set(
        table.id,
        Float64Array.from(ropeTable(9, { frequencies: plainFrequencies(6, 10), factor: 1 })),
      );
      return g.rope(matrix('x', 4, axis(6, 2)), words('positions', [5, 0, 3, 7]), table, {
        style,
        inverse,
        shift: 1,
      });
    });

for (const style of ['interleaved', 'half'] as const)
  check(`rope ${style} of a part of each head`, ({ g, values, matrix, words }) => {
    const table = g.tensor('table', 9, axis(6), 'constants');
    values.set(
      table.id,
      Float64Array.from(ropeTable(9, { frequencies: plainFrequencies(6, 10), factor: 1 })),
    );
    const attrs = { style, inverse: false, shift: 1 };
    return g.rope(matrix('x', 4, axis(7, 2)), words('positions', [5, 0, 3, 7]), table, attrs);
  });

const POSITIONS = [0, 3, 1, 4, 2, 2];
const SOFTMAX = { batch: 3, heads: 2, queries: 2, keys: 5 };
check(
  'softmax',
  ({ g, matrix }) => g.softmax(matrix('s', 12, axis(5)), null, null, { ...SOFTMAX, prefix: 0 })[0],
);
check(
  'softmax, causal',
  ({ g, matrix, words }) =>
    g.softmax(matrix('s', 12, axis(5)), words('positions', POSITIONS), null, { ...SOFTMAX, prefix: 0 })[0],
);
check(
  'softmax, causal with a window',
  ({ g, matrix, words }) =>
    g.softmax(matrix('s', 12, axis(5)), words('positions', POSITIONS), null, {
      ...SOFTMAX,
      prefix: 0,
      window: 2,
    })[0],
);
check('softmax, joint with a prefix', ({ g, matrix, words, input }) => {
  const scores = [
    matrix('s', 12, axis(5)),
    words('positions', POSITIONS),
    matrix('front', 12, axis(3)),
  ] as const;
  const [p, q] = g.softmax(...scores, { ...SOFTMAX, prefix: 3 });
  assert.ok(q);
  // Both outputs reach the loss, the second through a product that gives it the shape of the first.
  const spread = input('spread', 5, axis(3));
  const wide = g.matmul(
    'nt',
    q,
    spread,
    { m: 12, n: 5, k: 4, a: view(4), b: view(4), c: view(8) },
    12,
    axis(5),
  );
  return g.mulScale(g.add(p, wide), input('mask', 1, axis(5)));
});

for (const fn of ['tanh', 'raw'] as const)
  for (const per of ['head', 'layer'] as const) {
    const attrs: Gate = { function: fn, per, constant: 0.7 };
    check(`gateAdd, ${fn} a ${per}`, ({ g, matrix, row }) =>
      g.gateAdd(
        matrix('x', 4, HEADS),
        matrix('y', 4, HEADS),
        row('gate', axis(per === 'head' ? 2 : 1)),
        attrs,
      ),
    );
    check(`gateMul, ${fn} a ${per}`, ({ g, matrix, row }) =>
      g.gateMul(matrix('x', 4, HEADS), row('gate', axis(per === 'head' ? 2 : 1)), attrs),
    );
  }
check('gateAdd with a constant', ({ g, matrix }) =>
  g.gateAdd(matrix('x', 4, HEADS), matrix('y', 4, HEADS), null, {
    function: 'raw',
    per: 'layer',
    constant: 0.7,
  }),
);

check('embed', (trial) => {
  const ids = [2, 0, 2, 4, 2];
  const y = trial.g.embed(trial.matrix('table', 6, axis(3)), trial.words('ids', ids));
  // The host brings the ids sorted, under names the gradient rule makes up.
  const order = ids.map((_, i) => i).sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0));
  const starts = Array.from({ length: 7 }, (_, v) => ids.filter((id) => id < v).length);
  const sorted: Readonly<Record<string, readonly number[]>> = { 'ids.order': order, 'ids.starts': starts };
  return serve(trial, y, sorted);
});

/** Gives values to the inputs that `differentiate` is yet to make, by watching for their names. */
function serve(trial: Trial, y: Tensor, named: Readonly<Record<string, readonly number[]>>): Tensor {
  const { g, values } = trial;
  const make = g.tensor.bind(g);
  g.tensor = (...args) => {
    const tensor = make(...args);
    const list = named[tensor.name];
    if (list)
      values.set(
        tensor.id,
        Float64Array.from({ length: extent(tensor) }, (_, i) => list[i] ?? 0),
      );
    return tensor;
  };
  return y;
}

check('prepend', ({ g, matrix }) =>
  g.prepend(matrix('prefix', 2, HEADS), matrix('words', 6, HEADS), { batch: 2, length: 2, tokens: 3 }),
);

check('addTable', ({ g, matrix }) => g.addTable(matrix('x', 6, HEADS), matrix('table', 3, HEADS)));
check('addTable with rows to spare', ({ g, matrix }) =>
  g.addTable(matrix('x', 6, HEADS), matrix('table', 8, HEADS), { rows: 3 }),
);
check('addTable of one sequence', ({ g, matrix }) =>
  g.addTable(matrix('x', 3, HEADS), matrix('table', 3, HEADS)),
);
for (const [from, length] of [
  [0, 2],
  [1, 2],
  [2, 2],
  [0, 4],
] as const) {
  check(`segmentGrad of rows ${from} to ${from + length}`, ({ g, matrix }) => {
    const y = g.tensor('y', 12, HEADS);
    g.node('segmentGrad', [matrix('x', 3 * length, HEADS)], [y], { batch: 3, tokens: 4, from, length });
    return y;
  });
  check(`segment of rows ${from} to ${from + length}`, ({ g, matrix }) =>
    g.segment(matrix('x', 12, HEADS), { batch: 3, tokens: 4, from, length }),
  );
}

for (const times of [1, 3]) {
  check(`repeat ${times} times`, ({ g, matrix }) => g.repeat(matrix('x', 4, HEADS), { times }));
  check(`repeatGrad, ${times} times`, ({ g, matrix }) => {
    const y = g.tensor('y', 2, HEADS);
    g.node('repeatGrad', [matrix('x', 2 * times, HEADS)], [y], { times });
    return y;
  });
}
check('beside', ({ g, matrix }) =>
  g.beside([matrix('a', 3, axis(5)), matrix('b', 3, axis(5)), matrix('c', 3, axis(5))]),
);

// The same numbers as another matrix.
check('reshape', ({ g, matrix, row }) =>
  g.mulScale(g.reshape(matrix('x', 6, HEADS), 3, axis(3, 4)), row('v', axis(3, 4))),
);

check('linear', ({ g, matrix }) => g.linear(matrix('x', 3, axis(5)), matrix('w', 8, axis(5)), axis(7)));
check(
  'matmul nn',
  ({ g, matrix }) =>
    g.matmul(
      'nn',
      matrix('a', 3, axis(5)),
      matrix('b', 5, axis(6)),
      { m: 3, n: 8, k: 5, alpha: 0.5, a: view(8), b: view(8), c: view(8) },
      3,
      axis(6),
    ),
  'any',
);

/** Scores and values of grouped-query attention: 4 query heads of 3 share 2 key heads; 2 sequences of 3 tokens. */
const [Q, K, T, B] = [axis(3, 4), axis(3, 2), 3, 2];
check('matmul nt, grouped heads', ({ g, matrix }) =>
  g.matmul(
    'nt',
    matrix('q', B * T, Q),
    matrix('k', B * T, K),
    {
      m: T,
      n: T,
      k: 4,
      outer: B,
      inner: 4,
      share: 2,
      alpha: 0.6,
      a: view(16, T * 16, 4),
      b: view(8, T * 8, 4),
      c: view(4, T * 4, B * T * 4),
    },
    4 * B * T,
    axis(T),
  ),
);
check(
  'matmul nn, grouped heads',
  ({ g, matrix }) =>
    g.matmul(
      'nn',
      matrix('p', 4 * B * T, axis(T)),
      matrix('v', B * T, K),
      {
        m: T,
        n: 4,
        k: T,
        outer: B,
        inner: 4,
        share: 2,
        a: view(4, T * 4, B * T * 4),
        b: view(8, T * 8, 4),
        c: view(16, T * 16, 4),
      },
      B * T,
      Q,
    ),
  'any',
);

t('cross-entropy makes its own gradient', () => {
  const trial = makeTrial();
  const { g, values } = trial;
  const logits = trial.matrix('logits', 4, axis(5));
  const step = trial.input('step', 1, axis(8));
  const rowLoss = g.tensor('rowLoss', 1, axis(4));
  const d = g.tensor('dLogits', 4, axis(5));
  g.node('crossEntropy', [logits, trial.words('labels', [3, IGNORE, 0, 4]), step], [rowLoss, d], {
    vocab: 5,
  });
  const loss = () => (interpret(g, values).get(rowLoss.id) ?? new Float64Array()).reduce((a, b) => a + b, 0);
  const [got, wanted] = [
    interpret(g, values).get(d.id) ?? new Float64Array(),
    quotients(trial, logits, loss),
  ];
  got.forEach((x, i) => assert.ok(Math.abs(x - (wanted[i] ?? NaN)) <= CLOSE, `dLogits[${i}]`));
});

t('no gradient rule is left out', () => {
  for (const [name, op] of Object.entries(ops))
    if (op.gradient) assert.ok(checked.has(name as OpName), `${name} is not checked`);
});

t.run();
