/** What goes wrong inside of a trial: the device is lost, the memory does not suffice. The rest goes on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { planSweep } from '../../runtime/sweep/plan.ts';
import type { TrialLine } from '../../runtime/sweep/results.ts';
import { requireSameSweep, runSweep, type Watch } from '../../runtime/sweep/run.ts';
import { openFolder, readResults } from '../../runtime/sweep/stores/folder.ts';
import { type Device, openDevice } from '../../runtime/device/device.ts';
import { withDevice } from '../compiler/sessions.ts';
import { makeSweepProject } from '../cli/sweep-project.ts';

const t = suite('faults in a sweep');

let folder = '';
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-faults-'));
  await makeSweepProject(folder, 12);
});
t.after(() => rmSync(folder, { recursive: true, force: true }));

const silent: Watch = {
  onTrial: () => undefined,
  onStep: () => undefined,
  onEnd: () => undefined,
  onWait: () => undefined,
};

interface Faults {
  readonly set?: Readonly<Record<string, string>>;
  readonly only?: string;
  readonly watch?: Partial<Watch>;
  readonly openAnew?: () => Promise<Device>;
}

async function run(
  name: string,
  out: string,
  { set, only = '', watch, openAnew }: Faults,
): Promise<TrialLine[]> {
  const plan = await planSweep(nodeHost, join(folder, `sweep.adapter:${name}`), set ? { params: set } : {});
  const place = join(folder, out);
  const store = openFolder(place);
  await requireSameSweep(store, plan);
  const wanted = plan.trials.filter(({ key }) => key.includes(only));
  const options = { store, wanted, retry: false, watch: { ...silent, ...watch } };
  await runSweep(plan, openAnew ? { ...options, openAnew } : options);
  const results = readResults(place);
  return wanted.flatMap(({ key }) => results.get(key) ?? []);
}

t('a lost device fails one trial, the next gets a new one', () =>
  withDevice(async () => {
    const opened: Device[] = [];
    const openAnew = async (): Promise<Device> => {
      opened.push(await openDevice());
      return opened.at(-1) as Device;
    };
    const lines = await run('quick', 'lost', {
      only: 'seed = 0',
      openAnew,
      watch: {
        onStep: ({ step }) => void (opened.length === 1 && step === 3 && opened[0]?.device.destroy()),
      },
    });
    assert.equal(
      lines.map(({ figures }) => figures !== undefined),
      [false, true, true],
    );
    assert.match(lines[0]?.failed ?? '', /the device was lost/);
    assert.is(opened.length, 2);
  }),
);

/** A device that says it binds no more than so many bytes. */
async function smallDevice(bytes: number): Promise<Device> {
  const device = await openDevice();
  const limits = new Proxy(device.limits, {
    get: (real, name) =>
      name === 'maxStorageBufferBindingSize' || name === 'maxBufferSize'
        ? bytes
        : (Reflect.get(real, name, real) as unknown),
  });
  return Object.assign(device, { limits });
}

t('what does not fit on the device fails with what it would need', () =>
  withDevice(async () => {
    const lines = await run('quick', 'large', { only: 'seed = 0', openAnew: () => smallDevice(4096) });
    assert.is(lines.length, 3);
    for (const { figures, failed } of lines) {
      assert.is(figures, undefined);
      assert.match(failed ?? '', /MiB|bytes/);
      assert.not.match(failed ?? '', /internal error/);
    }
  }),
);

t('without a device nothing is recorded', async () => {
  const openAnew = (): Promise<Device> => Promise.reject(new Error('there is no device'));
  let failure: unknown;
  await run('quick', 'none', { openAnew }).catch((error: unknown) => (failure = error));
  assert.match(String(failure), /there is no device/);
  assert.is(readResults(join(folder, 'none')).size, 0);
});

t.run();
