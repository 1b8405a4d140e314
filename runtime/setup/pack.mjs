/**
 * `npm run build`: makes `dist/lib`, the JavaScript and the declarations of the package that npm installs; `npm pack` runs it first.
 *
 *   node runtime/setup/pack.mjs [FOLDER]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundle, LIBRARIES, PROGRAMS } from './build.mjs';
import { projectRoot, SetupError } from './drivers.mjs';

/** Declarations of the libraries and of whatever they name. */
function declare(folder) {
  const tsc = join(projectRoot(), 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', folder];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: projectRoot(), encoding: 'utf8' });
  if (status !== 0) throw new SetupError(`the declarations cannot be made:\n${stdout}`);
  // tsc leaves the names of the sources in them.
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue;
    const file = join(folder, name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/((?:from|import\() ?['"]\.[^'"]*)\.ts(?=['"])/g, '$1.js'));
  }
}

/** The licences of the packages whose code went into the bundles, which they ask to be kept. */
function licences(inputs) {
  const found = inputs.map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  const packages = [...new Set(found.filter((folder) => folder !== undefined))].sort((a, b) =>
    a < b ? -1 : 1,
  );
  const texts = packages.map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(projectRoot(), folder, 'package.json'), 'utf8'),
    );
    const file = readdirSync(join(projectRoot(), folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : `\n\n${readFileSync(join(projectRoot(), folder, file), 'utf8')}`;
    return `${name} ${version} (${license})${text}`;
  });
  return `The files of this folder hold code of these packages.\n\n${texts.join('\n\n----\n\n')}\n`;
}

/** Fills a folder, which appears whole or not at all. */
async function packInto(destination) {
  const temporary = `${destination}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    const node = await bundle([...PROGRAMS, ...LIBRARIES], temporary);
    const page = await bundle(['runtime/browser.ts'], join(temporary, 'page'), { browser: true });
    declare(temporary);
    writeFileSync(
      join(temporary, 'LICENSES.txt'),
      licences([...Object.keys(node.inputs), ...Object.keys(page.inputs)]),
    );
    rmSync(destination, { recursive: true, force: true });
    renameSync(temporary, destination);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

try {
  await packInto(resolve(process.argv[2] ?? join(projectRoot(), 'dist/lib')));
} catch (error) {
  if (error.name !== 'SetupError') throw error;
  console.error(`graft setup: ${error.message}`);
  process.exitCode = 1;
}
