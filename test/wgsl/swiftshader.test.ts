/** The kernel tests once more on SwiftShader: subgroups of four, 256 invocations, another idea of NaN. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skip } from '../skip.ts';

const t = suite('kernels on SwiftShader');
const root = join(import.meta.dirname, '../..');
const families = ['matmul', 'rows', 'maps', 'gather', 'optimizer'].map((name) => `wgsl/${name}`);

t('every variant agrees with its reference there too', async () => {
  // SwiftShader comes as a binary for this platform only; elsewhere the tests run on the machine's own device.
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return skip('SwiftShader is fetched on Linux x64 only');
  if (process.env['GRAFT_DRIVER'] === 'swiftshader') return skip('these tests run on SwiftShader already');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'test/run.ts', ...families],
    {
      cwd: root,
      env: { ...process.env, GRAFT_DRIVER: 'swiftshader' },
      maxBuffer: 1 << 24,
    },
  ).catch((error: { stdout?: string; message: string }) => ({
    stdout: `${error.stdout ?? ''}\n${error.message}`,
  }));
  assert.match(stdout, /^[1-9]\d* passed, 0 failed/m);
});

t.run();
