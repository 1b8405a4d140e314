import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError } from '../../../runtime/input-error.ts';
import { createRandom } from '../../../runtime/random.ts';
import { bytesSource } from '../../../runtime/weights/source.ts';
import { openTorch } from '../../../runtime/weights/torch/index.ts';
import { archive, global, pickled, pickleOf, tensor, text } from './make.ts';

const t = suite('torch files');

const open = (bytes: Uint8Array) => openTorch(bytesSource('a.pth', bytes));

async function refused(bytes: Uint8Array, pattern: RegExp): Promise<void> {
  await open(bytes).then(
    () => assert.unreachable(`${pattern} was not thrown`),
    (error: Error) => {
      assert.instance(error, InputError, error.stack);
      assert.match(error.message, pattern);
      assert.match(error.message, /^a\.pth/);
    },
  );
}

const six = Float32Array.of(0, 1, 2, 3, 4, 5);

t('tensors by name, views of a storage too', async () => {
  const file = await open(
    await archive(
      pickleOf({
        whole: tensor('0', [2, 3]),
        turned: tensor('0', [3, 2], { stride: [1, 3] }),
        part: tensor('0', [2], { offset: 4 }),
        one: tensor('0', [1, 1, 2], { stride: [9, 9, 1] }),
        half: tensor('1', [2], { type: 'HalfStorage' }),
        brain: tensor('1', [2], { type: 'BFloat16Storage' }),
        none: tensor('0', [0, 3]),
      }),
      { '0': six, '1': Uint16Array.of(0x3c00, 0x4000) },
    ),
  );
  const read = async (name: string): Promise<number[]> => [...(await file.read(name))];
  assert.equal(await read('whole'), [0, 1, 2, 3, 4, 5]);
  assert.equal(await read('turned'), [0, 3, 1, 4, 2, 5]);
  assert.equal(await read('part'), [4, 5]);
  assert.equal(await read('one'), [0, 1]);
  assert.equal(await read('half'), [1, 2]);
  assert.equal(await read('brain'), [0.0078125, 2]);
  assert.equal(await read('none'), []);
  assert.equal(file.tensors.get('turned')?.shape, [3, 2]);
});

t('parameters under `model`; plain values beside them are metadata', async () => {
  const file = await open(
    await archive(
      pickleOf({
        model: { 'llama.norm.weight': tensor('0', [6]) },
        config: { w_bias: true, lora_rank: 16, name: 'x' },
        optimizer: { state: tensor('0', [6]) },
        epoch: 4,
      }),
      { '0': six },
    ),
  );
  assert.equal([...file.tensors.keys()], ['llama.norm.weight']);
  assert.equal(file.metadata, {
    'config.w_bias': 'true',
    'config.lora_rank': '16',
    'config.name': 'x',
    epoch: '4',
  });
});

t('whatever could run is refused by its name and not run', async () => {
  const call = (module: string, name: string): Uint8Array =>
    pickled([...global(module, name), 0x28, ...text('touch /tmp/graft-was-here'), 0x74, 0x52]);
  for (const [module, name] of [
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'getattr'],
    ['torch', 'load'],
    ['torch.hub', 'load'],
    ['collections', 'namedtuple'],
    ['__torch__', 'Net'],
  ] as const)
    await refused(await archive(call(module, name), {}), new RegExp(`names \`${module}\\.${name}\``));
  // The same through the opcode that takes the name from the stack, and through one that makes an instance.
  await refused(await archive(pickled([...text('os'), ...text('system'), 0x93]), {}), /names `os\.system`/);
  // INST, OBJ and EXT1 could call or look up functions as well: not known at all.
  for (const opcode of [0x69, 0x6f, 0x82, 0x50])
    await refused(await archive(pickled([0x28, opcode]), {}), /describes no tensor/);
});

t('what is damaged or of another kind', async () => {
  const good = pickleOf({ a: tensor('0', [2, 3]) });
  await refused(await archive(good, {}), /needs 6 numbers of storage `0`, which has 0 bytes/);
  await refused(
    await archive(good, { '0': six.subarray(1) }),
    /needs 6 numbers of storage `0`, which has 20 bytes/,
  );
  await refused(await archive(pickleOf({ a: tensor('../x', [1]) }), {}), /not described as PyTorch/);
  await refused(await archive(pickleOf({ a: tensor('0', [-2]) }), { '0': six }), /not described as PyTorch/);
  await refused(
    await archive(pickleOf({ a: tensor('0', [2], { type: 'QInt8Storage' }) }), { '0': six }),
    /QInt8Storage/,
  );
  const endless = pickleOf({ a: tensor('0', [2 ** 30, 2 ** 30], { stride: [0, 0] }) });
  await refused(await archive(endless, { '0': six }), /`a` \[1073741824, 1073741824\] repeats the numbers/);
  await refused(await archive(pickleOf({ a: 1 }), {}), /holds no tensors by name/);
  await refused(await archive(pickleOf(tensor('0', [1])), { '0': six }), /holds one tensor/);
  await refused(await archive(good, { '0': six }, { byteorder: 'big' }), /big-endian/);
  await refused(Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c), /bare pickle/);
  await refused(new TextEncoder().encode('<html>'), /no file of `torch\.save`/);
});

t('cut or changed files throw input errors and nothing else', async () => {
  const whole = await archive(pickleOf({ model: { a: tensor('0', [2, 3]), b: tensor('0', [3]) } }), {
    '0': six,
  });
  const attempt = (bytes: Uint8Array) =>
    open(bytes)
      .then(async (file) => {
        for (const name of file.tensors.keys()) await file.read(name);
      })
      .catch((error: Error) => assert.instance(error, InputError, error.stack));
  for (let length = 0; length < whole.length; length += 3) await refused(whole.slice(0, length), /a\.pth/);
  const random = createRandom(3);
  for (let trial = 0; trial < 500; trial++) {
    const bytes = whole.slice();
    for (let i = 0; i < 3; i++) bytes[random.integer(bytes.length)] = random.integer(256);
    await attempt(bytes);
  }
});

t.run();
