/** A folder of real models and data that tests may use where it exists: GRAFT_SHARED, or `shared` beside the repository. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'uvu';

const folder = process.env['GRAFT_SHARED'] ?? join(import.meta.dirname, '..', '..', 'shared');

/** Its path, or null where it is absent. */
export const shared: string | null = existsSync(join(folder, 'data')) ? folder : null;

/** Registers a test that needs the folder; where it is absent the test is skipped and counted as such. */
export function withShared(suite: Test, name: string, run: (folder: string) => void | Promise<void>): void {
  if (shared === null) suite.skip(`${name} (no shared data)`);
  else suite(name, () => run(shared));
}
