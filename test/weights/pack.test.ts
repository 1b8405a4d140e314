import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { axis, type Axis } from '../../compiler/model/model.ts';
import { pack, packedLength, unpack } from '../../runtime/weights/pack.ts';

const t = suite('pack');

const count = (shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);

t('pads each group of a vector to a multiple of four', () => {
  // 2 heads of 3.
  assert.equal([...pack(count([6]), [6], [axis(3, 2)])], [1, 2, 3, 0, 4, 5, 6, 0]);
  assert.equal([...pack(count([5]), [5], [axis(5)])], [1, 2, 3, 4, 5, 0, 0, 0]);
});

t('pads rows and columns of a matrix', () => {
  const packed = pack(count([2, 3]), [2, 3], [axis(1, 2), axis(3)]);
  // Two groups of one row each take eight rows of four.
  assert.is(packed.length, 32);
  assert.equal(Array.from(packed.slice(0, 4)), [1, 2, 3, 0]);
  assert.equal(Array.from(packed.slice(16, 20)), [4, 5, 6, 0]);
  assert.is(
    packed.reduce((sum, x) => sum + x, 0),
    21,
  );
});

t('a gate of [1, heads, 1, 1] is a vector', () => {
  assert.equal([...pack(count([1, 6, 1, 1]), [1, 6, 1, 1], [axis(6)])], [1, 2, 3, 4, 5, 6, 0, 0]);
});

t('unpack undoes pack for odd sizes', () => {
  const shapes: [number[], Axis[]][] = [
    [[7], [axis(7)]],
    [[1], [axis(1)]],
    [[15], [axis(5, 3)]],
    [
      [6, 9],
      [axis(3, 2), axis(9)],
    ],
    [
      [9, 10],
      [axis(9), axis(5, 2)],
    ],
    [
      [12, 14],
      [axis(6, 2), axis(7, 2)],
    ],
    [
      [8, 16],
      [axis(8), axis(16)],
    ],
    [
      [5, 8],
      [axis(5), axis(4, 2)],
    ],
  ];
  for (const [shape, axes] of shapes) {
    const values = count(shape);
    const packed = pack(values, shape, axes);
    assert.is(packed.length, packedLength(axes));
    assert.equal(unpack(packed, shape, axes), values);
    assert.is(packed.filter((x) => x !== 0).length, values.length, 'the padding is zero');
  }
});

t('axes that do not fit the shape are a bug', () => {
  assert.throws(() => pack(count([6]), [6], [axis(5)]), /internal error/);
  assert.throws(() => pack(count([6]), [7], [axis(7)]), /internal error/);
  assert.throws(() => unpack(new Float32Array(6), [6], [axis(6)]), /internal error/);
});

t.run();
