/** The memory plan of every spec, run through by hand: whoever reads a tensor still finds it where it was written. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../compiler/compile.ts';
import { type Graph, labelOf } from '../../compiler/graph/graph.ts';
import { tensorAt, used } from '../../compiler/graph/slots.ts';
import { library, recipeFor } from '../compiler/subjects.ts';

const t = suite('memory');
const SIZES = { batch: 2, tokens: 5 };
const CONTEXT = 12;

/** Walks a program with an owner for every 256 bytes: whoever reads must still find what was written for it. */
function checkArena(
  graph: Graph,
  slices: ReadonlyMap<number, { readonly offset: number; readonly size: number }>,
): number {
  const owner = new Map<number, number>();
  let top = 0;
  const pieces = (id: number): number[] => {
    const { offset, size } = slices.get(id) ?? { offset: NaN, size: NaN };
    assert.is(offset % 256, 0, 'bindings begin at multiples of 256 bytes');
    top = Math.max(top, offset + size);
    return Array.from({ length: Math.ceil(size / 256) }, (_, i) => offset / 256 + i);
  };
  const inArena = (id: number) => tensorAt(graph, id).home === 'activations';
  const read = (id: number, who: string) => {
    for (const piece of pieces(id))
      assert.is(owner.get(piece), id, `${graph.name}: ${who} finds ${tensorAt(graph, id).name} overwritten`);
  };
  for (const node of graph.nodes) {
    const inputs = used(node.inputs).filter(inArena);
    inputs.forEach((id) => read(id, `${node.op} ${labelOf(node.origin)}`));
    const busy = new Set(inputs.flatMap(pieces));
    for (const id of used(node.outputs).filter(inArena))
      for (const piece of pieces(id)) {
        assert.not(busy.has(piece), `${graph.name}: ${node.op} writes where it reads`);
        owner.set(piece, id);
        busy.add(piece);
      }
  }
  for (const { tensor } of graph.outputs) if (inArena(tensor)) read(tensor, 'the host');
  return top;
}

for (const { name, model } of library())
  t(`memory is disjoint: ${name}`, () => {
    const tokens = Object.fromEntries(model.tasks.map((task) => [task.name, SIZES.tokens]));
    const { manifest, graphs, plan } = compile(model, {
      profile: { device: 'gpu', subgroup: null },
      recipe: recipeFor(model, { accumulate: 2 }),
      training: { batch: 2, tokens },
      evaluation: { batch: 2, tokens },
      forward: SIZES,
      generation: { ...SIZES, context: CONTEXT },
      taps: true,
    });
    const tops = graphs.map((graph, i) => checkArena(graph, plan.slices[i] ?? new Map()));
    assert.ok(Math.max(...tops) <= plan.peak, 'the peak covers every tensor');
    assert.ok(plan.peak <= plan.sum);
    checkFixed(graphs, plan.slices);
    for (const program of manifest.programs)
      for (const { bindings, label } of program.dispatches)
        for (const { buffer, offset, size } of bindings)
          assert.ok(
            offset % 256 === 0 && offset + size <= (manifest.buffers[buffer] ?? 0),
            `${program.name} ${label}: ${offset}+${size} of ${buffer}`,
          );
  });

/** Outside of the arena two tensors are the same place, one inside the other (a parameter in its cell), or apart. */
function checkFixed(
  graphs: readonly Graph[],
  plans: readonly ReadonlyMap<
    number,
    { readonly buffer: string; readonly offset: number; readonly size: number }
  >[],
): void {
  const places = new Map<
    string,
    { name: string; buffer: string; from: number; to: number; whole: boolean }
  >();
  graphs.forEach((graph, i) => {
    for (const tensor of graph.tensors) {
      const slice = plans[i]?.get(tensor.id);
      if (!slice || slice.buffer === 'activations') continue;
      const shared = ['inputs', 'results'].includes(slice.buffer) ? `${graph.name} ` : '';
      const name = `${slice.buffer} ${shared}${tensor.parameter ?? tensor.name}`;
      const place = {
        name,
        buffer: slice.buffer,
        from: slice.offset,
        to: slice.offset + slice.size,
        whole: tensor.cell !== undefined,
      };
      const known = places.get(name);
      assert.ok(!known || known.from === place.from, `${name} lies in two places`);
      if (!known || known.to < place.to) places.set(name, place);
    }
  });
  const all = [...places.values()];
  for (const [i, a] of all.entries())
    for (const b of all.slice(i + 1)) {
      if (a.buffer !== b.buffer || a.from >= b.to || b.from >= a.to) continue;
      const [cell, inside] = a.whole ? [a, b] : [b, a];
      assert.ok(
        cell.whole && !inside.whole && cell.from <= inside.from && inside.to <= cell.to,
        `${a.name} and ${b.name} share bytes`,
      );
    }
}

t.run();
