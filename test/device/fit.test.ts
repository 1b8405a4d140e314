/** What is said of a package that does not fit: what is too large, and what would help. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compile } from '../../compiler/compile.ts';
import type { Manifest } from '../../compiler/package/package.ts';
import { DeviceError } from '../../runtime/device/device.ts';
import { type Capacity, requireFit } from '../../runtime/device/fit.ts';
import { modelOf, recipeFor } from '../compiler/subjects.ts';

const t = suite('fitting a device');
const MIB = 2 ** 20;
const GENEROUS = 2 ** 40;

const model = modelOf(`
  lora low on every linear in layers { rank = 2 }
  task t on some trains low { max_tokens = 8 }`);

const made = (batch: number): Manifest =>
  compile(model, {
    profile: { device: 'gpu', subgroup: null },
    recipe: recipeFor(model),
    training: { batch, tokens: { t: 8 } },
    generation: { batch, tokens: 8, context: 16 },
  }).manifest;

/** What is said of a package of which these buffers have these sizes. */
function refused(manifest: Manifest, buffers: Manifest['buffers'], capacity: Partial<Capacity> = {}): string {
  try {
    requireFit(
      { ...manifest, buffers: { ...manifest.buffers, ...buffers } },
      { limits: { maxBufferSize: 10 * MIB, maxStorageBufferBindingSize: GENEROUS }, ...capacity },
    );
  } catch (error) {
    assert.instance(error, DeviceError);
    return (error as DeviceError).message;
  }
  return '';
}

t('what fits is let through', () => {
  assert.is(refused(made(2), {}), '');
  assert.is(refused(made(2), { weights: 10 * MIB }), '');
});

t('every buffer that is too large is named, and what all of it takes', () => {
  const manifest = made(2);
  const buffers = { ...manifest.buffers, weights: 11 * MIB, state: 12 * MIB };
  const said = refused(manifest, buffers);
  const all = Object.values(buffers).reduce((sum, size) => sum + size, 0) / MIB;
  assert.match(said, `\`X\` does not fit on this device: ${all.toFixed(1)} MiB in all`);
  assert.match(said, /buffer `weights` needs 11\.0 MiB; this device allows 10\.0 MiB a buffer/);
  assert.match(said, /buffer `state` needs 12\.0 MiB/);
});

t('weights that are too large are no matter of the batch', () => {
  const said = refused(made(4), { weights: 11 * MIB });
  assert.match(said, /buffer `weights` needs 11\.0 MiB; this device allows 10\.0 MiB a buffer/);
  assert.match(said, /the largest tensor in it: `[\w.]+` \[\d+, \d+\], [\d.]+ MiB/);
  assert.match(
    said,
    /help: .*take a smaller base, write `store = q8` or `store = q4` in the base, or a device/,
  );
  assert.not.match(said, /take a smaller `batch`|shorter sequences/);
});

t('activations: a smaller batch, or shorter sequences', () => {
  const said = refused(made(4), { activations: 11 * MIB });
  assert.match(
    said,
    /buffer `activations` needs 11\.0 MiB.*the largest tensor in it: that of `[^`]+` in program `train:t`/,
  );
  assert.match(
    said,
    /help: .*a smaller `batch` \(it is 4\).*fewer `max_tokens` in the tasks \(the longest have 8\)/,
  );
  assert.not.match(said, /smaller base/);
});

t('a batch of one is not made smaller', () => {
  const said = refused(made(1), { activations: 11 * MIB });
  assert.not.match(said, /`batch`/);
  assert.match(said, /`max_tokens`/);
});

t('a cache of keys and values: a smaller batch or context', () => {
  const said = refused(made(3), { state: 11 * MIB });
  assert.match(said, /help: the cache.*a smaller `batch` \(it is 3\), or a smaller `context` \(it is \d+\)/);
  assert.match(said, /the largest tensor in it: that of `[^`]*cacheWrite/);
});

t('gradients and moments: fewer trained parameters, said once for all copies', () => {
  const large = 11 * MIB;
  const said = refused(made(2), { parameters: large, gradients: large, first: large, second: large });
  assert.match(said, /buffer `first` needs 11\.0 MiB.*the largest tensor in it: `low\./);
  assert.is(said.match(/help:/g)?.length, 1);
  assert.match(said, /held 4 times, with its gradients and moments: train fewer parameters/);
});

t('a tensor that no binding takes is named with its dispatch', () => {
  const manifest = made(2);
  const limits = { maxBufferSize: GENEROUS, maxStorageBufferBindingSize: 255 };
  const said = refused(manifest, {}, { limits });
  assert.match(said, /\S+ \w+ \(weights\) needs 0\.\d+ MiB; this device binds 0\.\d+ MiB at once/);
});

t('more than the memory: what takes most of it', () => {
  const capacity = {
    limits: { maxBufferSize: GENEROUS, maxStorageBufferBindingSize: GENEROUS },
    memory: 12 * MIB,
  };
  const said = refused(made(2), { weights: 14 * MIB, activations: MIB }, capacity);
  assert.match(
    said,
    /all of it needs \S+ MiB; this machine has 12\.0 MiB of memory: `weights` 14\.0 MiB, `activations` 1\.0 MiB/,
  );
  assert.match(said, /take a smaller base/);
  assert.not.match(said, /`batch` \(/);
  assert.match(said, /nothing was allocated/);
});

t.run();
