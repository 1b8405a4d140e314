import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSampler, createStopFilter, type Sampling } from '../../runtime/sample.ts';

const t = suite('sample');

const logits = Float32Array.of(1, 3, 2, -1, 0);

/** How often each token comes in many draws. */
function frequencies(options: Sampling, row = logits, draws = 20000): number[] {
  const sampler = createSampler(options);
  const counts = Array.from({ length: row.length }, () => 0);
  for (let i = 0; i < draws; i++) counts[sampler(row)]!++;
  return counts.map((count) => count / draws);
}

function softmax(
  row: Float32Array,
  temperature: number,
  keep: readonly number[] = [...row.keys()],
): number[] {
  const weights = Array.from(row, (x, i) => (keep.includes(i) ? Math.exp(x / temperature) : 0));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

function near(actual: readonly number[], expected: readonly number[]): void {
  actual.forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]!) < 0.015, `${actual.join()} != ${expected.join()}`),
  );
}

t('temperature 0 is greedy, the first of equals', () => {
  assert.is(createSampler()(logits), 1);
  assert.is(createSampler({ temperature: 0, topP: 0.1 })(Float32Array.of(2, 5, 5)), 1);
  assert.is(createSampler({ temperature: 2, topK: 1 })(logits), 1);
});

t('draws follow the softmax', () => {
  near(frequencies({ temperature: 1 }), softmax(logits, 1));
  near(frequencies({ temperature: 2, seed: 3 }), softmax(logits, 2));
});

t('top-k keeps the k most probable', () => {
  near(frequencies({ temperature: 1, topK: 2 }), softmax(logits, 1, [1, 2]));
  near(frequencies({ temperature: 1, topK: 99 }), softmax(logits, 1));
});

t('top-p keeps tokens until they reach p, and at least one', () => {
  // Probabilities are about .636 .234 .086 .032 .012 of tokens 1 2 0 4 3.
  near(frequencies({ temperature: 1, topP: 0.5 }), softmax(logits, 1, [1]));
  near(frequencies({ temperature: 1, topP: 0.7 }), softmax(logits, 1, [1, 2]));
  near(frequencies({ temperature: 1, topP: 0.9 }), softmax(logits, 1, [0, 1, 2]));
  near(frequencies({ temperature: 1, topP: 1e-9 }), softmax(logits, 1, [1]));
});

t('a seed repeats, sequences of one seed differ', () => {
  const draw = (seed: number, sequence: number): string => {
    const sampler = createSampler({ temperature: 1, seed }, sequence);
    return Array.from({ length: 20 }, () => sampler(logits)).join();
  };
  assert.is(draw(1, 0), draw(1, 0));
  assert.is.not(draw(1, 0), draw(1, 1));
  assert.is.not(draw(1, 0), draw(2, 0));
});

t('extreme logits do not break it', () => {
  assert.is(createSampler({ temperature: 1e-6 })(Float32Array.of(1e30, -1e30, 3)), 0);
  near(frequencies({ temperature: 1 }, Float32Array.of(-Infinity, 0, 0), 4000), [0, 0.5, 0.5]);
  assert.is(createSampler({ temperature: 1, topP: 0.9 })(Float32Array.of(-Infinity, 5, -Infinity)), 1);
  assert.throws(() => createSampler({ temperature: 1 })(Float32Array.of(1, NaN)), /NaN for token 1/);
});

t('options out of range', () => {
  for (const options of [
    { temperature: -1 },
    { temperature: NaN },
    { topK: -1 },
    { topK: 1.5 },
    { topP: 0 },
    { topP: 2 },
  ]) {
    assert.throws(() => createSampler(options), /help: use/);
  }
});

function filtered(
  stops: readonly string[],
  pieces: readonly string[],
): { shown: string[]; rest: string; stopped: boolean } {
  const filter = createStopFilter(stops);
  const shown = pieces.map((piece) => filter.push(piece));
  return { shown, rest: filter.end(), stopped: filter.stopped };
}

t('a stop string ends the text, in one piece or many', () => {
  assert.equal(filtered(['###'], ['hello ### more', 'x']), {
    shown: ['hello ', ''],
    rest: '',
    stopped: true,
  });
  assert.equal(filtered(['###'], ['hi #', '#', '#x']), { shown: ['hi ', '', ''], rest: '', stopped: true });
});

t('what only looked like one is shown after all', () => {
  assert.equal(filtered(['###'], ['a#', 'b', '##']), { shown: ['a', '#b', ''], rest: '##', stopped: false });
  assert.equal(filtered(['aab'], ['aa', 'ab']), { shown: ['', 'a'], rest: '', stopped: true });
});

t('the first of several stop strings counts', () => {
  assert.equal(filtered(['\n\n', 'END'], ['one EN', 'D two\n\n']).shown, ['one ', '']);
  assert.equal(filtered(['abc', 'b'], ['ab', 'c']), { shown: ['a', ''], rest: '', stopped: true });
  assert.equal(filtered([], ['a', 'b']), { shown: ['a', 'b'], rest: '', stopped: false });
  assert.equal(filtered([''], ['a']).shown, ['a']);
});

t.run();
