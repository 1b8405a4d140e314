/** The compiler's host on Node: the file system, and `-` for standard input. */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Host } from '../../compiler/host.ts';

export const nodeHost: Host = {
  readFile: (path) => {
    try {
      return readFileSync(path === '-' ? 0 : path, 'utf8');
    } catch {
      return null;
    }
  },
  resolve: (from, path) => (isAbsolute(path) ? path : join(dirname(from), path)),
};
