import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DeviceError, openDevice, sharedDevice } from '../../runtime/device/device.ts';
import { waitGently } from '../../runtime/device/poll.ts';

const t = suite('device');

async function failureOf(promise: Promise<unknown>): Promise<DeviceError> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, DeviceError);
    return error as DeviceError;
  }
  throw new Error('it did not fail');
}

t('opens, says what it is, and has a profile', async () => {
  const device = await openDevice();
  assert.ok(device.adapter.description.length + device.adapter.vendor.length > 0);
  assert.ok(device.limits.maxStorageBufferBindingSize >= 128 * 1024 * 1024);
  assert.is(device.profile.device, device.adapter.software ? 'software' : 'gpu');
  if (device.profile.device === 'gpu') assert.is(device.profile.subgroup, null);
  if (device.profile.subgroup !== null) assert.is(device.profile.subgroup, device.adapter.subgroupMaxSize);
  await device.check();
  device.close();
});

t('an uncaptured error makes the next check fail, once, and names the work', async () => {
  const device = await openDevice();
  device.begin('step 7');
  device.device.createBuffer({ label: 'odd one', size: 64, usage: 0xffff });
  const error = await failureOf(device.check());
  assert.is(error.fault, 'validation');
  assert.match(error.message, /during step 7/);
  await device.check();
  device.close();
});

t('a lost device fails clearly, keeps failing, and another one opens', async () => {
  const device = await openDevice();
  device.begin('step 8');
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
  const buffer = device.device.createBuffer({ size: 64, usage });
  const mapped = device.wait(buffer.mapAsync(GPUMapMode.READ));
  device.device.destroy();
  const error = await failureOf(mapped);
  assert.is(error.fault, 'lost');
  assert.match(error.message, /the device was lost \(destroyed\) during step 8/);
  assert.ok(device.isLost);
  assert.is((await failureOf(device.check())).fault, 'lost');
  const next = await openDevice();
  await next.check();
  next.close();
});

t('the shared device is one, and is replaced after a loss', async () => {
  const first = await sharedDevice();
  assert.is(await sharedDevice(), first);
  first.device.destroy();
  await first.lost;
  const second = await sharedDevice();
  assert.is.not(second, first);
  await second.check();
});

t('polling sleeps during waits only, and is put back', async () => {
  const before = globalThis.setImmediate;
  const device = await openDevice();
  assert.is(globalThis.setImmediate, before);
  const outer = device.wait(device.device.queue.onSubmittedWorkDone());
  const inner = device.wait(device.device.queue.onSubmittedWorkDone());
  assert.is.not(globalThis.setImmediate, before);
  await Promise.all([outer, inner]);
  assert.is(globalThis.setImmediate, before);
  await waitGently(Promise.reject(new Error('no'))).catch(() => null);
  assert.is(globalThis.setImmediate, before);
  device.close();
});

t('others may use setImmediate during a wait', async () => {
  const order: string[] = [];
  const wait = waitGently(new Promise<void>((done) => setTimeout(done, 5)));
  setImmediate((word: string) => order.push(word), 'immediate');
  await wait;
  assert.equal(order, ['immediate']);
});

t.run();
