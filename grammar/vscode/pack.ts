/**
 * `node --import tsx grammar/vscode/pack.ts`: packs the extension into `dist/`. The client and the language server are bundled by esbuild, so
 * that the extension needs nothing else; vsce, which is fetched for the occasion, makes the `.vsix`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type BuildOptions } from 'esbuild';

const root = join(import.meta.dirname, '../..');
const VSCE = '@vscode/vsce@3.9.2';

/** What the extension consists of besides its two programs. */
const files = ['package.json', 'language-configuration.json', 'README.md', 'syntaxes', 'snippets'];

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
};

/** Puts the extension into a folder. The server is `graft lsp` as it is. */
export async function stage(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const file of files) cpSync(join(import.meta.dirname, file), join(folder, file), { recursive: true });
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const client = join(import.meta.dirname, 'client.ts');
  await build({
    ...common,
    entryPoints: [client],
    external: ['vscode'],
    outfile: join(folder, 'client.cjs'),
  });
  const contents = `import { command } from './runtime/cli/lsp.ts'; void command.run(process.argv.slice(2));`;
  await build({
    ...common,
    stdin: { contents, resolveDir: root, loader: 'ts' },
    outfile: join(folder, 'server.cjs'),
  });
}

async function pack(): Promise<number> {
  const folder = join(root, 'dist/vscode');
  rmSync(folder, { recursive: true, force: true });
  await stage(folder);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const out = join(root, `dist/graft-adapters-${version}.vsix`);
  const flags = ['--no-dependencies', '--allow-missing-repository', '--out', out];
  const { status } = spawnSync('npx', ['--yes', VSCE, 'package', ...flags], {
    cwd: folder,
    stdio: 'inherit',
  });
  return status ?? 1;
}

if (import.meta.url === pathToFileURL(resolve(process.argv[1] ?? '')).href) process.exitCode = await pack();
