/** Models that are in the hub's cache already, by their names. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where Hugging Face's tools keep what they fetched; the variables are theirs. */
export function hubCache(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const home =
    environment['HF_HOME'] ?? join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'huggingface');
  return environment['HF_HUB_CACHE'] ?? environment['HUGGINGFACE_HUB_CACHE'] ?? join(home, 'hub');
}

/** Whether a text may be the name of a model on the hub: `ORG/NAME`. */
export const isModelName = (text: string): boolean => /^[\w.-]+\/[\w.-]+$/.test(text) && !text.includes('..');

/** Where the cache keeps the files of a model. */
export const modelFolder = (name: string, cache: string): string =>
  join(cache, `models--${name.replace('/', '--')}`);

/** The folder of `ORG/NAME` in the cache at its `main`, or null when it was never fetched. */
export function cachedModel(name: string, cache: string = hubCache()): string | null {
  if (!isModelName(name)) return null;
  const home = modelFolder(name, cache);
  const ref = join(home, 'refs', 'main');
  if (!existsSync(ref)) return null;
  const sha = readFileSync(ref, 'utf8').trim();
  // An empty file is what a full disk leaves of one.
  const folder = join(home, 'snapshots', sha);
  return sha !== '' && existsSync(folder) ? folder : null;
}
