/** Specs on Node: files by their paths, `-` for standard input, warnings on standard error. */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Host } from '../../compiler/host.ts';
import { cachedModel } from '../hub/cached.ts';
import type { SpecHost } from '../project/host.ts';

export const nodeSpecs: Host = {
  readFile: (path) => {
    try {
      return readFileSync(path === '-' ? 0 : path, 'utf8');
    } catch {
      return null;
    }
  },
  resolve: (from, path) => (isAbsolute(path) ? path : join(dirname(from), path)),
  model: (name) => cachedModel(name),
};

export const nodeSpecHost: SpecHost = { specs: nodeSpecs, warn: (text) => console.error(text) };
