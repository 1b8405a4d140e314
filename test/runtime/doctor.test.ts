import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatReport } from '../../runtime/cli/doctor.ts';
import { sharedDevice } from '../../runtime/device/device.ts';
import { currentChoice, explainMissing } from '../../runtime/setup/drivers.mjs';

const t = suite('doctor');
const root = join(import.meta.dirname, '..', '..');

function graft(
  args: readonly string[],
  env: Record<string, string> = {},
): { code: number | null; out: string; err: string } {
  const script = join(root, 'runtime', 'cli', 'main.ts');
  const options = { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } } as const;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', script, ...args],
    options,
  );
  return { code: status, out: stdout, err: stderr };
}

t('prints the device, the driver, why, features and limits', async () => {
  const device = await sharedDevice();
  const text = formatReport(device, currentChoice());
  for (const row of ['device', 'driver', 'why', 'kernels', 'features', 'maxStorageBufferBindingSize'])
    assert.match(text, new RegExp(`^${row} +\\S`, 'm'));
  const { code, out } = graft(['doctor']);
  assert.is(code, 0);
  assert.is(out.split('\n')[0], text.split('\n')[0]);
});

t('without a device says what to install, and fails', () => {
  const { code, err } = graft(['doctor', '--driver', 'none']);
  assert.is(code, 1);
  assert.match(err, /no WebGPU device was found \(driver: none/);
  assert.match(err, /What helps:\n  - \S/);
  assert.not.match(err, /\n    at .*\.ts/);
});

t('lists what was tried', () => {
  const tried = [{ driver: 'lavapipe', outcome: 'needs apt-get' }] as const;
  assert.match(
    explainMissing({ driver: 'none', reason: 'nothing works', tried }),
    /- lavapipe: needs apt-get/,
  );
});

t('a wish that makes no sense is a usage error, a broken driver is reported', () => {
  assert.is(graft(['doctor', '--driver', 'foo']).code, 2);
  const unknown = graft(['doctor'], { GRAFT_DRIVER: 'foo' });
  assert.is(unknown.code, 1);
  assert.match(unknown.err, /GRAFT_DRIVER=foo: unknown driver/);
  if (process.platform !== 'linux') return;
  const cache = mkdtempSync(join(tmpdir(), 'graft-'));
  try {
    mkdirSync(join(cache, 'lavapipe'));
    writeFileSync(join(cache, 'lavapipe', 'driver.json'), '{"icd":"icd.json","libraries":["missing.so"]}');
    const broken = graft(['doctor'], { GRAFT_DRIVER: 'lavapipe', GRAFT_CACHE: cache });
    assert.is(broken.code, 1);
    assert.match(broken.err, /cannot load .*missing\.so/);
  } finally {
    rmSync(cache, { recursive: true });
  }
});

t('the command line helps', () => {
  const help = graft(['--help']);
  assert.is(help.code, 0);
  assert.match(help.out, /^ {2}doctor {4}say which device/m);
  assert.is(graft([]).code, 2);
  const wrong = graft(['docter']);
  assert.is(wrong.code, 2);
  assert.match(wrong.err, /there is no command 'docter'; did you mean 'doctor'\?/);
  assert.match(graft(['doctor', '--help']).out, /--refresh/);
  assert.is(graft(['doctor', '--nonsense']).code, 2);
  assert.not.match(graft(['zzz']).err, /did you mean/);
});

t.run();
