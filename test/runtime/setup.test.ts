import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skip } from '../skip.ts';

const t = suite('setup');

interface Elf {
  readonly neededLibraries: (file: string) => string[];
  readonly loadingOrder: (folder: string, roots: readonly string[]) => string[];
}
interface Tar {
  readonly readTar: (bytes: Buffer) => Iterable<{ name: string; content: Buffer }>;
}
// Plain JavaScript without declarations: only the setup itself uses them.
const load = async <T>(file: string): Promise<T> => (await import(`../../runtime/setup/${file}`)) as T;

/** One ustar entry, padded to blocks of 512. */
function tarEntry(name: string, content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(content.length.toString(8).padStart(11, '0'), 124);
  header.write('0', 156);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body]);
}

t('reads a tar archive', async () => {
  const { readTar } = await load<Tar>('swiftshader.mjs');
  const archive = Buffer.concat([
    tarEntry('a/one', 'x'.repeat(600)),
    tarEntry('two', 'y'),
    Buffer.alloc(1024),
  ]);
  const files = [...readTar(archive)].map(({ name, content }) => [name, content.toString().length]);
  assert.equal(files, [
    ['a/one', 600],
    ['two', 1],
  ]);
});

t('reads what an ELF file needs, and orders libraries by it', async () => {
  const libc = ['x86_64', 'aarch64']
    .map((arch) => `/lib/${arch}-linux-gnu/libm.so.6`)
    .find((file) => existsSync(file));
  if (!libc) return skip('no glibc to read');
  const { neededLibraries, loadingOrder } = await load<Elf>('elf.mjs');
  assert.ok(neededLibraries(libc).includes('libc.so.6'));
  const folder = mkdtempSync(join(tmpdir(), 'graft-'));
  copyFileSync(libc, join(folder, 'libm.so.6'));
  copyFileSync(libc.replace('libm', 'libc'), join(folder, 'libc.so.6'));
  assert.equal(loadingOrder(folder, ['libm.so.6']), ['libc.so.6', 'libm.so.6']);
  rmSync(folder, { recursive: true });
});

t('runs before anything is installed: it imports only Node and itself', () => {
  for (const file of [
    'start',
    'graft',
    'prepare',
    'build',
    'choose',
    'drivers',
    'npm',
    'lavapipe',
    'swiftshader',
    'elf',
  ]) {
    const text = readFileSync(new URL(`../../runtime/setup/${file}.mjs`, import.meta.url), 'utf8');
    const imports = [...text.matchAll(/^import .*from '([^']+)'|^\} from '([^']+)'/gm)].map(
      ([, a, b]) => a ?? b ?? '',
    );
    for (const name of imports)
      assert.match(name, /^(node:|\.\/[a-z]+\.mjs$)/, `${file}.mjs imports ${name}`);
  }
});

t.run();
