/** Every variant of every product against the reference: ragged sizes, views in garbage, batches, epilogues. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Graph, Matmul, NodeOf, Tensor, View } from '../../compiler/graph/graph.ts';
import { axis, ceil4, type Storage } from '../../compiler/model/model.ts';
import { storages } from '../../compiler/storage/index.ts';
import type { Profile } from '../../compiler/package/package.ts';
import { chooseVariant, type Variant, variantsOf } from '../../compiler/wgsl/matmul/choose.ts';
import { emitMatmulWith } from '../../compiler/wgsl/matmul/index.ts';
import { invariant } from '../../grammar/invariant.ts';
import { asStored, checkNode, openTestDevice, randomValues, referenceOf, type Slots } from './harness.ts';

const device = await openTestDevice();
const lanes = device?.profile.subgroup ?? null;
const PROFILES: readonly Profile[] = [
  ...(lanes === null ? [] : [{ device: 'software', subgroup: lanes } as const]),
  { device: 'software', subgroup: null },
  { device: 'gpu', subgroup: null },
];
const MODES = ['nt', 'nn', 'tn'] as const;
const SIZES = [1, 3, 4, 7, 16, 17, 33, 65];
/** What C's surroundings hold before a run, and must still hold after it. */
const SENTINEL = 7777;

interface Options {
  readonly outer?: number;
  readonly inner?: number;
  readonly share?: number;
  readonly reps?: number;
  readonly alpha?: number;
  /** Inner batches side by side in a row, as heads are, instead of one after the other. */
  readonly abreast?: boolean;
  /** Numbers before the first and after each row that belong to nobody. */
  readonly gap?: number;
  /** All outer batches share B. */
  readonly oneB?: boolean;
  readonly bias?: boolean;
  readonly scale?: boolean;
  readonly residual?: boolean;
  readonly u?: boolean;
  readonly save?: Matmul['save'];
  /** B is one matrix, stored so. */
  readonly storage?: Storage;
}

interface Case {
  readonly node: NodeOf<'matmul'>;
  readonly graph: Graph;
  readonly inputs: Slots;
  readonly before: Slots;
}

/** Rows that belong to nobody after the last batch, and with a gap after each: who strays meets them. */
const SPARE = 3;

/** A batched matrix in memory: its view and how many numbers it spans. */
function place(
  rows: number,
  columns: number,
  outer: number,
  inner: number,
  o: Options,
): { view: View; size: number } {
  const { gap = 0, abreast = false } = o;
  const width = ceil4(columns);
  const row = (abreast ? inner * width : width) + gap;
  const matrix = (rows + (gap > 0 ? SPARE : 0)) * row;
  const view = {
    offset: gap,
    row,
    inner: abreast ? width : matrix,
    outer: abreast ? matrix : inner * matrix,
  };
  return { view, size: gap + outer * view.outer + SPARE * row };
}

/** Garbage everywhere, random numbers inside the view; pads past `columns` hold `pad`, or random numbers too. */
function fill(
  size: number,
  view: View,
  [outer, inner, rows, columns]: readonly [number, number, number, number],
  seed: number,
  pad?: number,
): Float64Array {
  const values = new Float64Array(size).fill(NaN);
  const random = randomValues(size, seed);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++)
      for (let r = 0; r < rows; r++)
        for (let x = 0; x < ceil4(columns); x++) {
          const at = view.offset + o * view.outer + i * view.inner + r * view.row + x;
          values[at] = x >= columns && pad !== undefined ? pad : (random[at] ?? 0);
        }
  return values;
}

function makeCase(mode: Matmul['mode'], m: number, n: number, k: number, o: Options = {}, seed = 1): Case {
  const { outer = 1, inner = 1, share = 1, reps = 1, alpha = 1, save = 'none' } = o;
  const [aRows, aColumns] = mode === 'tn' ? [k, m] : [m, k];
  const [bRows, bColumns] = mode === 'nt' ? [n, k] : [k, n];
  const aInner = inner * reps;
  const bInner = mode === 'tn' ? inner * reps : inner / share;
  const bOuter = o.oneB ? 1 : outer;
  const a = place(aRows, aColumns, outer, aInner, o);
  const b = place(bRows, bColumns, bOuter, bInner, o);
  const { gap = 0 } = o;
  const c = place(m, n, outer, inner, o);
  const tensors: Tensor[] = [];
  const tensor = (size: number): number => {
    const id = tensors.length;
    return (
      tensors.push({ id, name: `t${id}`, dtype: 'f32', rows: 1, axis: axis(size), home: 'activations' }),
      id
    );
  };
  const when = (on: boolean | undefined, size: number) => (on ? tensor(size) : null);
  const values = (on: boolean | undefined, f: () => Float64Array) => (on ? f() : null);
  const attrs: Matmul = {
    ...{ mode, m, n, k, outer, inner, share, reps, alpha, save, a: a.view, c: c.view },
    b:
      o.storage !== undefined ? { ...b.view, outer: 0, inner: 0 } : o.oneB ? { ...b.view, outer: 0 } : b.view,
  };
  const ids = [
    tensor(a.size),
    tensor(b.size),
    when(o.bias, ceil4(n)),
    when(o.scale, ceil4(n)),
    when(o.residual, c.size),
    when(o.u, c.size),
  ];
  if (o.storage !== undefined) {
    const id = ids[1] ?? 0;
    const { row } = attrs.b;
    invariant(outer === 1 && inner === 1 && gap === 0, 'a stored B is one matrix');
    tensors[id] = { ...tensors[id]!, rows: bRows, axis: axis(row), storage: o.storage, home: 'weights' };
  }
  const node: NodeOf<'matmul'> = {
    op: 'matmul',
    inputs: ids,
    outputs: [tensor(c.size), when(save !== 'none', c.size)],
    attrs,
    origin: { site: 'test', part: null, layer: null, span: null },
  };
  const inputs = [
    // In `nn` the pads of A are zero by contract; elsewhere nobody may look at them.
    fill(a.size, a.view, [outer, aInner, aRows, aColumns], seed, mode === 'nn' ? 0 : NaN),
    o.storage === undefined
      ? fill(b.size, b.view, [bOuter, bInner, bRows, bColumns], seed + 1)
      : asStored(tensors[ids[1] ?? 0]!, randomValues(bRows * ceil4(bColumns), seed + 1)),
    values(o.bias, () => randomValues(ceil4(n), seed + 2)),
    values(o.scale, () => randomValues(ceil4(n), seed + 3)),
    values(o.residual, () => fill(c.size, c.view, [outer, inner, m, n], seed + 4)),
    values(o.u, () => fill(c.size, c.view, [outer, inner, m, n], seed + 5).map((x) => 4 * x)),
  ];
  const sentinel = () => new Float64Array(c.size).fill(SENTINEL);
  const graph: Graph = {
    purpose: { kind: 'forward', image: false },
    name: 'test',
    batch: 1,
    tokens: 1,
    prepended: 0,
    tensors,
    nodes: [node],
    outputs: [],
  };
  return { node, graph, inputs, before: [sentinel(), save === 'none' ? null : sentinel()] };
}

/** Rounding in any order stays under a few units in the last place of the sum of magnitudes. */
function boundsOf({ node, graph, inputs, before }: Case): Float64Array[] {
  const magnitudes = inputs.map((values) => values?.map(Math.abs) ?? null);
  const positive = { ...node, attrs: { ...node.attrs, alpha: Math.abs(node.attrs.alpha) } };
  // exp is the least exact of what is used: silu of a software device is good to about 1e-5.
  const share = node.inputs[5] === null ? 2e-6 : 2e-5;
  return referenceOf(positive, graph, magnitudes, before).map((values) =>
    values.map((x) => share * x + 1e-9),
  );
}

async function check(c: Case, variant: Variant): Promise<void> {
  invariant(device, 'no device');
  const launches = emitMatmulWith(c.node, c.graph, variant);
  await checkNode(c.node, c.graph, c.inputs, launches, device, { before: c.before, bounds: boundsOf(c) });
}

/** Every combination of epilogue steps; one of the saves each for all but the smallest kernels, which share its code. */
function epilogues(variant: Variant): Options[] {
  const last = [{}, { residual: true }, { u: true }];
  const saves = ['none', 'biased', 'scaled'] as const;
  const all = [0, 1, 2, 3].flatMap((bits) =>
    last.flatMap((l) => saves.map((save) => ({ bias: bits % 2 === 1, scale: bits > 1, ...l, save }))),
  );
  return variant.strategy === 'register' ? all : all.filter((_, i) => i % 5 === 1 || i === all.length - 1);
}

const describe = (v: Variant) => Object.values(v).join(' ');

/** Every variant that some shape can get on this device. */
const variants = PROFILES.flatMap((profile) =>
  MODES.flatMap((mode) => variantsOf(mode, profile).map((variant) => ({ mode, variant }))),
);

const t = suite('matmul kernels');
const deviceTest = device ? t : t.skip;

/**
 * Stored formats to test. How a format is unpacked is arithmetic on bits, the same on every device, so the second run on
 * SwiftShader takes one.
 */
const formats = storages.filter((it) =>
  process.env['GRAFT_DRIVER'] === 'swiftshader' ? it === 'q4' : it !== 'f32',
);

for (const { mode, variant } of variants) {
  const called = `${mode} ${describe(variant)}`;

  deviceTest(`${called}: ragged sizes`, async () => {
    // Each size meets others in every place, without trying all 512 triples.
    for (const [i, m] of SIZES.entries())
      for (const shift of [0, 3]) {
        const n = SIZES[(i + shift + 2) % 8] ?? 1;
        const k = SIZES[(3 * i + shift + 5) % 8] ?? 1;
        await check(makeCase(mode, m, n, mode === 'nt' ? ceil4(k) : k, { gap: 4 * shift }, i + 1), variant);
      }
  });

  deviceTest(`${called}: batches`, async () => {
    const k = mode === 'nt' ? 12 : 13;
    const batched = { outer: 3, inner: 4, alpha: -0.25, gap: 4 };
    await check(makeCase(mode, 5, 9, k, { ...batched, abreast: true }), variant);
    await check(makeCase(mode, 18, 6, k, batched), variant);
    if (mode === 'tn') await check(makeCase(mode, 7, 10, k, { ...batched, reps: 2, abreast: true }), variant);
    else await check(makeCase(mode, 6, 11, k, { ...batched, share: 2, abreast: true }), variant);
    await check(makeCase(mode, 6, 11, k, { outer: 3, inner: 2, oneB: true, abreast: true }), variant);
  });

  deviceTest(`${called}: epilogues`, async () => {
    for (const e of epilogues(variant))
      await check(makeCase(mode, 6, 10, 8, { ...e, alpha: 0.5, gap: 4 }), variant);
  });

  if (mode !== 'tn')
    for (const storage of formats)
      deviceTest(`${called}: B stored as ${storage}`, async () => {
        // Widths on both sides of one and two blocks of 64 numbers, and whole ones.
        for (const [i, width] of [7, 64, 65, 190].entries()) {
          const [m, other] = [SIZES[i] ?? 1, SIZES[(i + 3) % 8] ?? 1];
          const [n, k] = mode === 'nt' ? [other, ceil4(width)] : [width, other];
          await check(makeCase(mode, m, n, k, { storage, alpha: 0.5 }, i + 1), variant);
        }
        await check(
          makeCase(mode, 6, 68, 68, { storage, bias: true, scale: true, u: true, save: 'scaled' }),
          variant,
        );
      });

  deviceTest(`${called}: NaN and infinity`, async () => {
    invariant(device, 'no device');
    const c = makeCase(mode, 18, 35, 24);
    const [a, b] = [c.inputs[0], c.inputs[1]];
    invariant(a && b, 'a product without operands');
    a[2 * c.node.attrs.a.row + 5] = NaN;
    b[3 * c.node.attrs.b.row + 6] = Infinity;
    b[20 * c.node.attrs.b.row + 9] = NaN;
    await checkNode(c.node, c.graph, c.inputs, emitMatmulWith(c.node, c.graph, variant), device, {
      before: c.before,
      bounds: boundsOf(c),
    });
  });
}

t('every strategy and size is among the variants tested', () => {
  const tested = new Set(variants.map(({ mode, variant }) => `${mode} ${describe(variant)}`));
  for (const profile of PROFILES)
    for (const mode of MODES)
      for (const m of [1, 2, 4, 5, 8, 9, 16, 20, 40, 64, 512])
        for (const n of [4, 8, 32, 40, 64, 344, 2048])
          for (const k of [8, 128, 1024]) {
            const chosen = `${mode} ${describe(chooseVariant(makeCase(mode, m, n, k).node.attrs, profile))}`;
            assert.ok(tested.has(chosen), `${chosen} is chosen for ${m} x ${n} x ${k} but not tested`);
          }
});

deviceTest('what is too large for one grid is cut', async () => {
  const [first] = variants;
  invariant(first, 'no variants');
  for (const [m, outer, inner] of [
    [65535 + 5, 1, 1],
    [2, 35000, 2],
  ] as const) {
    const c = makeCase(first.mode, m, 4, 4, { outer, inner });
    assert.ok(emitMatmulWith(c.node, c.graph, first.variant).length > 1, 'one launch was enough');
    await check(c, first.variant);
  }
});

t.run();
