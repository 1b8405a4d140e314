import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { median, type Measured, type Timing } from '../../runtime/bench/measure.ts';
import { agree, LOSSES, OPERATIONS, type Operation } from '../../runtime/bench/ops.ts';
import { referenceResult } from '../../runtime/bench/reference.ts';
import { allAgree, jsonOf, linesOf, tableOf } from '../../runtime/bench/rows.ts';
import type { SideName } from '../../runtime/bench/side.ts';

const t = suite('bench');
const root = join(import.meta.dirname, '..', '..');

function graft(args: readonly string[]): { code: number | null; out: string; err: string } {
  const command = ['--import', 'tsx', join(root, 'runtime', 'cli', 'main.ts'), 'bench', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

function operation(name: string): Operation {
  const found = OPERATIONS.find((op) => op.name === name);
  assert.ok(found, name);
  return found;
}

const timing = (side: SideName, name: string, ms: number, values: readonly number[]): Timing => ({
  ...{ side, op: operation(name), ms, firstMs: 10 * ms, values: Float32Array.from(values) },
});
const nothing = (): number[] => [];

t('without peers: our time, whether it is right, and how to get peers', () => {
  const { code, out, err } = graft(['--json', '--op', 'rmsnorm', '--rounds', '7']);
  assert.is(code, 0, err);
  const rows = JSON.parse(out) as Record<string, unknown>[];
  assert.is(rows.length, 1);
  const { ours_ms, ...row } = rows[0] ?? {};
  assert.ok(typeof ours_ms === 'number' && Number.isFinite(ours_ms));
  assert.equal(row, { op: 'rmsnorm 512x512', peer: null, peer_ms: null, ratio: null, agrees: true });
  assert.match(err, /npm install @jax-js\/jax/);
});

t('the reference trains the block, and both steps start from the same loss', () => {
  // A smaller block, since this is float64 on one core.
  const small = { kind: 'block', name: 'small', tokens: 8, dim: 16, heads: 2, ffn: 24 } as const;
  const [full, peft] = [
    referenceResult({ ...small, trains: 'full' }),
    referenceResult({ ...small, trains: 'peft' }),
  ];
  for (const losses of [full, peft]) {
    assert.is(losses.length, LOSSES);
    assert.ok(
      losses.every((loss, i) => loss > 0 && loss < (losses[i - 1] ?? Infinity)),
      losses.join(' '),
    );
  }
  assert.ok(Math.abs((full[0] ?? NaN) - (peft[0] ?? NaN)) < 1e-12);
  assert.ok(!agree({ ...small, trains: 'full' }, full, peft));
});

t('results agree by the largest number, losses one by one, and NaN never', () => {
  const [output, losses] = [operation('softmax 512x512'), operation('block step full')];
  assert.ok(agree(output, [100, 0], [100, 0.005]));
  assert.ok(!agree(losses, [100, 0], [100, 0.005]));
  assert.ok(agree(losses, [2, 1], [2.0001, 1]));
  assert.ok(!agree(output, [NaN, 1], [1, 1]));
  assert.ok(!agree(output, [1], [1, 1]));
  assert.ok(!agree(output, [], []));
});

t('compares with each peer, and our partial step with our full one', () => {
  const measured: Measured = {
    timings: [
      timing('ours', 'block step full', 20, [4, 3]),
      timing('tfjs', 'block step full', 200, [4, 3]),
      timing('ours', 'block step peft', 12, [4, 3.5]),
      timing('tfjs', 'block step peft', 40, [4, 3.4]),
    ],
    failures: [{ side: 'jax-js', op: operation('block step peft'), error: 'out of memory' }],
  };
  const lines = linesOf(measured, nothing);
  assert.equal(JSON.parse(jsonOf(lines)), [
    { op: 'block step full', peer: 'tfjs', ours_ms: 20, peer_ms: 200, ratio: 0.1, agrees: true },
    { op: 'block step peft', peer: 'tfjs', ours_ms: 12, peer_ms: 40, ratio: 0.3, agrees: false },
    { op: 'block step peft', peer: 'jax-js', ours_ms: 12, peer_ms: null, ratio: null, agrees: false },
    { op: 'block step peft', peer: 'ours:full', ours_ms: 12, peer_ms: 20, ratio: 0.6, agrees: true },
  ]);
  const table = tableOf(lines);
  assert.match(table, /tfjs .* MISSED 0\.25 +NO /);
  assert.match(table, /ours:full .* met 0\.75 +yes /);
  assert.is(allAgree(lines), false);
});

t(
  'an unknown operation and too few rounds are usage errors, a folder without peers is an input error',
  () => {
    assert.is(graft(['--op', 'convolution']).code, 2);
    assert.is(graft(['--rounds', '2']).code, 2);
    const { code, err } = graft(['--op', 'rmsnorm', '--peers', join(root, 'docs')]);
    assert.is(code, 1);
    assert.match(err, /@jax-js\/jax cannot be loaded from/);
  },
);

t('median', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 2, 3]), 2.5);
});

t.run();
