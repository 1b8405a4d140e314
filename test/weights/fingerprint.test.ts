import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fingerprintBase, requireSameBase } from '../../runtime/weights/fingerprint.ts';
import { tiny, weightsOf } from './make.ts';

const t = suite('fingerprint');

t('fingerprints tell bases apart and do not depend on order', async () => {
  const list = [...weightsOf(tiny)].map(([name, tensor]) => ({ name, ...tensor }));
  const print = await fingerprintBase(list);
  assert.match(print, /^[0-9a-f]{64}$/);
  assert.is(await fingerprintBase([...list].reverse()), print);
  list[4]!.values[0]! += 1;
  const other = await fingerprintBase(list);
  assert.is.not(other, print);
  const stating = (base_fingerprint: string) => ({ name: 'a.safetensors', metadata: { base_fingerprint } });
  assert.throws(
    () => requireSameBase(stating(other), print, 'tiny'),
    /a\.safetensors was trained on another base than `tiny`/,
  );
  requireSameBase(stating(print), print, 'tiny');
  requireSameBase({ name: 'a.safetensors', metadata: {} }, print, 'tiny');
});

t.run();
