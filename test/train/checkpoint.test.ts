import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCheckpoint, saveCheckpoint } from '../../runtime/train/checkpoint.ts';
import { requireSameRun } from '../../runtime/train/same-run.ts';
import type { Checkpoint } from '../../runtime/train/run-store.ts';
import { UNFINISHED, type FileSystem } from '../../runtime/files/write.ts';

const t = suite('checkpoint');

let folder = '';
t.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-checkpoint-'));
});
t.after.each(() => rmSync(folder, { recursive: true, force: true }));

const at = (step: number, fill = step): Checkpoint => ({
  meta: {
    step,
    spec: 'spec-hash',
    base: 'base-print',
    seed: 3,
    cellSteps: [step, 2],
    versions: { graft: '0.1.0' },
  },
  tensors: ['words', 'm.words', 'v.words'].map((name) => ({
    name,
    shape: [2, 3],
    values: new Float32Array(6).fill(fill),
  })),
});

/** A disk that is full after so many bytes, or breaks at one call. */
function breaking(options: { room?: number; breakAt?: 'sync' | 'rename' }): FileSystem {
  let left = options.room ?? Infinity;
  const fail = (code: string): never => {
    throw Object.assign(new Error(code), { code });
  };
  return {
    async open(path, flags) {
      const file = await fs.open(path, flags);
      return {
        async write(bytes) {
          const take = Math.min(left, bytes.length);
          left -= take;
          if (take > 0) await file.write(bytes.subarray(0, take));
          return take < bytes.length ? fail('ENOSPC') : { bytesWritten: take };
        },
        sync: async () => (options.breakAt === 'sync' ? fail('EIO') : await file.sync()),
        close: () => file.close(),
      };
    },
    rename: async (from, to) => (options.breakAt === 'rename' ? fail('EACCES') : await fs.rename(from, to)),
    unlink: (path) => fs.unlink(path),
  };
}

async function message(promise: Promise<unknown>): Promise<string> {
  return (await promise.then(
    () => assert.unreachable(),
    (error: Error) => error.message,
  )) as string;
}

t('comes back as it was', async () => {
  const path = await saveCheckpoint(folder, at(12));
  const loaded = await loadCheckpoint(folder);
  assert.is(loaded?.path, path);
  assert.equal(loaded?.meta, at(12).meta);
  assert.equal(
    [...loaded!.tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    [...at(12).tensors].sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
  assert.equal(loaded?.skipped, []);
});

t('there is none at first', async () => {
  assert.is(await loadCheckpoint(folder), null);
  assert.is(await loadCheckpoint(join(folder, 'nowhere')), null);
});

t('makes its folder, and keeps the newest', async () => {
  const inner = join(folder, 'a', 'b');
  for (const step of [1, 9, 10, 100]) await saveCheckpoint(inner, at(step));
  assert.equal(readdirSync(inner).sort(), ['step-00000010.safetensors', 'step-00000100.safetensors']);
  await saveCheckpoint(inner, at(101), { keep: 3 });
  assert.is(readdirSync(inner).length, 3);
  assert.is((await loadCheckpoint(inner))?.meta.step, 101);
});

t('the same step again replaces it', async () => {
  await saveCheckpoint(folder, at(5, 1));
  await saveCheckpoint(folder, at(5, 2));
  assert.is((await loadCheckpoint(folder))?.tensors.get('words')?.values[0], 2);
  assert.is(readdirSync(folder).length, 1);
});

t('a full disk leaves the former one untouched and says how much is needed', async () => {
  await saveCheckpoint(folder, at(1));
  const before = readFileSync(join(folder, 'step-00000001.safetensors'));
  for (const room of [0, 10, 400, before.length - 1]) {
    const text = await message(saveCheckpoint(folder, at(2), { fileSystem: breaking({ room }) }));
    assert.match(
      text,
      /cannot write .*step-00000002\.safetensors: the disk is full \(\d+ bytes needed, \d+ are free\)/,
    );
    assert.match(text, /untouched/);
  }
  assert.equal(readdirSync(folder), ['step-00000001.safetensors']);
  assert.equal(readFileSync(join(folder, 'step-00000001.safetensors')), before);
  assert.is((await loadCheckpoint(folder))?.meta.step, 1);
});

t('so does any other failure on the way', async () => {
  await saveCheckpoint(folder, at(1));
  for (const breakAt of ['sync', 'rename'] as const) {
    await message(saveCheckpoint(folder, at(1, 7), { fileSystem: breaking({ breakAt }) }));
    assert.is((await loadCheckpoint(folder))?.tensors.get('words')?.values[0], 1);
    assert.equal(readdirSync(folder), ['step-00000001.safetensors']);
  }
});

t('what a crash left half-written is ignored and removed', async () => {
  await saveCheckpoint(folder, at(1));
  // No process has this number: Linux ends at 4194304.
  const left = join(folder, `step-00000002.safetensors.99999999${UNFINISHED}`);
  writeFileSync(left, 'half');
  assert.is((await loadCheckpoint(folder))?.meta.step, 1);
  assert.equal(readdirSync(folder), ['step-00000001.safetensors']);
  writeFileSync(left, 'half');
  await saveCheckpoint(folder, at(3));
  assert.not.ok(readdirSync(folder).some((name) => name.endsWith(UNFINISHED)));
});

t('a file another process is writing stays', async () => {
  await saveCheckpoint(folder, at(1));
  const busy = join(folder, `step-00000002.safetensors.${process.ppid}${UNFINISHED}`);
  writeFileSync(busy, 'half');
  await loadCheckpoint(folder);
  assert.ok(readdirSync(folder).some((name) => name.endsWith(UNFINISHED)));
});

t('a damaged file is passed over for the one before, with the reason', async () => {
  await saveCheckpoint(folder, at(1));
  const path = await saveCheckpoint(folder, at(2));
  const bytes = readFileSync(path);
  const damaged = Uint8Array.from(bytes);
  damaged[damaged.length - 3]! ^= 1;
  for (const [file, reason] of [
    [damaged, /checksum does not match/],
    [bytes.subarray(0, -4), /its data ends at byte/],
    [bytes.subarray(0, 3), /too few/],
  ] as const) {
    writeFileSync(path, file);
    const loaded = await loadCheckpoint(folder);
    assert.is(loaded?.meta.step, 1);
    assert.match(loaded!.skipped[0]!.reason, reason);
  }
  writeFileSync(join(folder, 'step-00000001.safetensors'), 'x');
  assert.match(
    await message(loadCheckpoint(folder)),
    /every checkpoint in .* is damaged:[\s\S]*start the run again/,
  );
});

t('changed metadata is damage too', async () => {
  const path = await saveCheckpoint(folder, at(4));
  writeFileSync(
    path,
    Buffer.from(
      readFileSync(path, 'latin1')
        .replace('"step\\":4', '"step\\":7')
        .replace('\\"step\\":4', '\\"step\\":7'),
      'latin1',
    ),
  );
  assert.match(await message(loadCheckpoint(folder)), /checksum/);
});

t('a run goes on only as the same run', () => {
  const { meta } = at(3);
  requireSameRun(meta, meta, 'x');
  assert.throws(
    () => requireSameRun(meta, { ...meta, spec: 'other', seed: 4 }, 'x'),
    /the spec has changed, the seed was 3 and is 4/,
  );
  assert.throws(() => requireSameRun(meta, { ...meta, base: 'other' }, 'x'), /the base is another one/);
});

t.run();
