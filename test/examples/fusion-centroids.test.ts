import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { classMeans, shareNearest } from '../../examples/fusion/centroids.ts';

const t = suite('fusion: class means');
const known = (name: string, ...values: number[]) => ({ name, features: Float32Array.from(values) });

t('a mean is one of directions, and lengths make no difference', () => {
  const means = classMeans([known('cat', 3, 0), known('cat', 0, 0.1), known('dog', -2, 0)]);
  const cat = [...(means.get('cat') ?? [])];
  assert.ok(
    cat.every((value) => Math.abs(value - Math.SQRT1_2) < 1e-6),
    cat.join(),
  );
  assert.equal([...(means.get('dog') ?? [])], [-1, 0]);
});

t('the share of pictures that are nearest to their own class', () => {
  const means = classMeans([known('cat', 1, 0), known('dog', 0, 1)]);
  const pictures = [known('cat', 9, 1), known('cat', 0.1, 0.2), known('dog', 0, 5), known('dog', -1, 0)];
  assert.is(shareNearest(means, pictures), 0.75);
});

t.run();
