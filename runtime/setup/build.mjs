/**
 * Compiles the command line to JavaScript, once for each state of the sources: started from TypeScript, every call would compile
 * what it loads. A build is a folder `.cache/build/FINGERPRINT` that appears whole or not at all, so a build of other sources is
 * never run, and two processes may build at once.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, SetupError } from './drivers.mjs';

/** Everything that a build is made from lies in these. */
const SOURCES = ['grammar', 'compiler', 'runtime', 'package.json', 'package-lock.json'];

/** Programs: the command line, and what it starts in processes of its own. */
export const PROGRAMS = [
  'runtime/cli/main.ts',
  'runtime/device/probe.ts',
  'runtime/experts/worker.ts',
  'runtime/bench/worker.ts',
];

/** What programs and other packages import; `exports` in package.json names them. */
export const LIBRARIES = [
  'compiler/index.ts',
  'runtime/index.ts',
  'runtime/browser.ts',
  'grammar/prettier.ts',
];

/** Packages that every command loads: hundreds of small files of theirs become a part of ours, and start five times as fast. */
const BUNDLED = /^(chevrotain|tinyqueue|jsonc-parser|@huggingface\/tokenizers)$/;

/** A build that no call has used for this long is removed; no run is expected to take longer. */
const UNUSED_MS = 7 * 24 * 3600 * 1000;

/** Whether this is a checkout; the package that npm installs has no sources. */
export function isCheckout() {
  return existsSync(join(projectRoot(), 'runtime/cli/main.ts'));
}

/** Changes whenever a source does: a digest of the names, sizes and times of all source files. Takes some ten milliseconds. */
export function fingerprint(root = projectRoot()) {
  const digest = createHash('sha1');
  const visit = (path, entry) => {
    if (entry?.isDirectory() ?? statSync(join(root, path)).isDirectory()) {
      const inside = readdirSync(join(root, path), { withFileTypes: true });
      for (const child of inside.sort((a, b) => (a.name < b.name ? -1 : 1)))
        visit(`${path}/${child.name}`, child);
      return;
    }
    const { mtimeMs, ctimeMs, size } = statSync(join(root, path));
    digest.update(`${path}\0${mtimeMs}\0${ctimeMs}\0${size}\n`);
  };
  for (const path of SOURCES) visit(path);
  return digest.digest('hex').slice(0, 16);
}

/** How esbuild makes modules that share their chunks; what is not `BUNDLED` stays an import from node_modules. */
function buildOptions(entryPoints, outdir, { browser }) {
  return {
    absWorkingDir: projectRoot(),
    entryPoints,
    outdir,
    outbase: '.',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    // Lines and names stay, so that the stack of a bug report can be read.
    minifySyntax: true,
    format: 'esm',
    platform: browser ? 'browser' : 'node',
    target: browser ? 'es2022' : 'node20.19',
    mainFields: browser ? ['browser', 'module', 'main'] : ['module', 'main'],
    metafile: true,
    legalComments: 'eof',
    logLevel: 'silent',
    plugins: [{ name: 'bundled packages', setup: leaveOthersOut }],
  };
}

function leaveOthersOut(build) {
  build.onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) => {
    const inside = kind === 'entry-point' || BUNDLED.test(path) || importer.includes('node_modules');
    return inside ? undefined : { path, external: true };
  });
}

/**
 * Bundles modules into a folder, for Node or for a page; gives esbuild's list of what went in.
 * @throws SetupError with esbuild's words
 */
export async function bundle(entryPoints, outdir, { browser = false } = {}) {
  const { build } = await import('esbuild');
  try {
    const { metafile } = await build(buildOptions(entryPoints, outdir, { browser }));
    return metafile;
  } catch (error) {
    const words = (error.errors ?? []).map(({ text, location }) =>
      location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text,
    );
    throw new SetupError(
      `the sources do not compile:\n${words.join('\n') || error.message}\n` +
        'Correct them; no older build is run in their place.',
      { cause: error },
    );
  }
}

function buildsFolder() {
  return join(projectRoot(), '.cache', 'build');
}

/** The build of the sources as they are, or null. Using it keeps it from being removed. */
export function currentBuild(state = fingerprint()) {
  const folder = join(buildsFolder(), state);
  try {
    const now = new Date();
    utimesSync(folder, now, now);
    return folder;
  } catch {
    return null;
  }
}

/** The folder with the build of the sources as they are; built when there is none. */
export async function ensureBuild(log) {
  const state = fingerprint();
  const present = currentBuild(state);
  if (present) return present;
  const destination = join(buildsFolder(), state);
  const temporary = `${destination}.${process.pid}`;
  log('compiling the command line');
  mkdirSync(temporary, { recursive: true });
  try {
    await bundle(PROGRAMS, temporary);
    // Edited meanwhile: which state went in is not known.
    if (fingerprint() !== state) return await ensureBuild(log);
    renameSync(temporary, destination);
  } catch (error) {
    // Another process was first: its build is of the same sources.
    if (!existsSync(destination)) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  removeUnused();
  return destination;
}

function removeUnused() {
  for (const name of readdirSync(buildsFolder())) {
    const folder = join(buildsFolder(), name);
    const { mtimeMs } = statSync(folder, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > UNUSED_MS) rmSync(folder, { recursive: true, force: true });
  }
}
