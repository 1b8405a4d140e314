/** The memory plan's addresses are the lowest that are free, and finding them takes work in proportion to the tensors. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FreeSpace } from '../../compiler/passes/free-space.ts';
import { createRandom } from '../../runtime/random.ts';

const t = suite('free space');

interface Life {
  readonly from: number;
  readonly to: number;
  readonly size: number;
}

/** The same by definition: the lowest address that no earlier tensor of the same times has. */
function lowestOf(placed: readonly (Life & { readonly offset: number })[], life: Life): number {
  const neighbours = placed
    .filter((p) => p.from <= life.to && life.from <= p.to)
    .sort((a, b) => a.offset - b.offset);
  let offset = 0;
  for (const p of neighbours) {
    if (p.offset - offset >= life.size) break;
    offset = Math.max(offset, p.offset + p.size);
  }
  return offset;
}

t('every address is the lowest that is free', () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = createRandom('lives', String(seed));
    const times = 1 + random.integer(60);
    const space = new FreeSpace(times);
    const placed: (Life & { offset: number })[] = [];
    for (let i = 0; i < 120; i++) {
      const from = random.integer(times);
      const life = { from, to: from + random.integer(times - from), size: 1 + random.integer(9) };
      const offset = space.lowest(life.from, life.to, life.size);
      assert.is(offset, lowestOf(placed, life), `${JSON.stringify(life)} of ${seed}`);
      space.take(life.from, life.to, offset, life.size);
      placed.push({ ...life, offset });
    }
  }
});

/** Runs looked at for a training graph of so many layers: what each saves until its backward pass, and what passes by. */
function workOf(layers: number): number {
  const times = 8 * layers;
  const space = new FreeSpace(times);
  const place = (from: number, to: number, size: number): void =>
    space.take(from, to, space.lowest(from, to, size), size);
  for (const size of [64, 32, 16])
    for (let layer = 0; layer < layers; layer++) {
      const [forward, backward] = [4 * layer, times - 1 - 4 * layer];
      place(forward, backward, size);
      place(forward, forward + 3, size);
      place(backward - 3, backward, size);
    }
  return space.looked;
}

t('twice as many layers are a little more than twice the work', () => {
  const [few, many] = [workOf(64), workOf(1024)];
  // Sixteen times the layers at n log n: 16 x log(8 x 1024) / log(8 x 64) = 23; every pair of tensors would be 256.
  assert.ok(many / few < 26, `${many} for 1024 layers, ${few} for 64`);
});

t.run();
