#!/usr/bin/env node
/**
 * The `graft` command. In a checkout: installs what is missing, compiles the sources when they changed, and runs the result in
 * this process. In the package that npm installs, all of that is there.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isCheckout } from './build.mjs';
import { projectRoot } from './drivers.mjs';

async function builtFolder() {
  if (!isCheckout()) return join(projectRoot(), 'dist/lib');
  const { prepare } = await import('./prepare.mjs');
  return prepare();
}

try {
  const folder = await builtFolder();
  await import(pathToFileURL(join(folder, 'runtime/cli/main.js')).href);
} catch (error) {
  if (error.name !== 'SetupError') throw error;
  console.error(`graft setup: ${error.message}`);
  process.exitCode = 1;
}
