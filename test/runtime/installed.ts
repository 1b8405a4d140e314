/** The package as npm would install it, in an empty folder: packed, unpacked, and beside it what its package.json depends on. */
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Outcome } from '../cli/processes.ts';

export const root = join(import.meta.dirname, '../..');

interface PackageJson {
  readonly name: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** The folder with the package in its `node_modules`; a dependency that package.json does not name is not there. */
export async function install(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'graft installed '));
  const modules = join(folder, 'node_modules');
  await run(process.execPath, [join(root, 'runtime/setup/pack.mjs')], root);
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root);
  const [{ filename }] = JSON.parse(packed.out) as [{ readonly filename: string }];
  const { name, bin, dependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  ) as PackageJson;
  mkdirSync(join(modules, '.bin'), { recursive: true });
  await run('tar', ['-xzf', join(folder, filename), '-C', modules], folder);
  cpSync(join(modules, 'package'), join(modules, name), { recursive: true });
  for (const dependency of Object.keys(dependencies)) {
    const link = join(modules, dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', dependency), link);
  }
  for (const [command, file] of Object.entries(bin)) {
    chmodSync(join(modules, name, file), 0o755);
    symlinkSync(join('..', name, file), join(modules, '.bin', command));
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  return folder;
}

/** Runs a program to its end, whatever that is. The drivers that the checkout has fetched are not fetched again. */
export async function run(program: string, args: readonly string[], cwd: string): Promise<Outcome> {
  const env = { ...process.env, GRAFT_CACHE: process.env['GRAFT_CACHE'] ?? join(root, '.cache'), CI: '1' };
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd, env, maxBuffer: 1 << 26 });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : 1, out: stdout ?? '', err: stderr ?? String(error) };
  }
}
