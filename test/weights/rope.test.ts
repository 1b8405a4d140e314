import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reorderRope } from '../../runtime/weights/rope.ts';
import { permuteAsTransformers } from './make.ts';

const t = suite('order of rows');

t('the row order is that of the transformers script, and goes back', () => {
  for (const [heads, headDim, width] of [
    [3, 4, 5],
    [1, 2, 1],
    [2, 8, 3],
  ] as const) {
    const values = Float32Array.from({ length: heads * headDim * width }, (_, i) => i);
    const half = reorderRope(values, headDim, width, 'interleaved', 'half');
    assert.equal(half, permuteAsTransformers(values, heads, headDim, width));
    assert.equal(reorderRope(half, headDim, width, 'half', 'interleaved'), values);
  }
});

t.run();
