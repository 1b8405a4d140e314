/** Runs the npm that runs us, and installs the dependencies when they are missing. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, readJson, SetupError } from './drivers.mjs';

/** Runs npm quietly; throws with its last words when it fails. */
export function runNpm(args, { cwd = projectRoot(), show = false } = {}) {
  const script = process.env.npm_execpath;
  const own = script !== undefined && script.endsWith('npm-cli.js');
  const command = own ? process.execPath : 'npm';
  const stdio = show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'];
  const shell = !own && process.platform === 'win32';
  const result = spawnSync(command, own ? [script, ...args] : args, { cwd, encoding: 'utf8', stdio, shell });
  if (result.status === 0) return;
  const words = result.error?.message ?? `${result.stderr ?? ''}`.trim().split('\n').slice(-6).join('\n');
  throw new SetupError(`npm ${args[0]} failed${words === '' ? '' : `: ${words}`}`);
}

/** The packages that package-lock.json asks for and node_modules does not have, in that version. */
export function missingPackages(root = projectRoot()) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  const present = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages ?? {};
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && !entry.optional && !entry.link)
    .filter(([path, entry]) => present[path]?.version !== entry.version || !existsSync(join(root, path)))
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
}

/** Installs the dependencies of package-lock.json unless they are all there. */
export function installDependencies(log) {
  const root = projectRoot();
  // Another process may have installed them while this one waited for its turn.
  const missing = missingPackages(root);
  if (missing.length === 0) return;
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  if (!existsSync(join(root, 'node_modules'))) {
    log('installing the dependencies (npm ci)');
    try {
      return runNpm(['ci', ...quiet]);
    } catch {
      // A lock file written on another platform may lack this one's optional binaries; `npm ci` refuses that.
      log('npm ci refuses the lock file, so: npm install');
    }
  } else log(`installing ${missing.slice(0, 5).join(', ')} (npm install)`);
  runNpm(['install', '--no-save', ...quiet], { show: true });
}
