/** Versions that a run's files carry. */
import { PACKAGE_FORMAT } from '../compiler/package/package.ts';

export const VERSION = '0.1.0';
export const versions = { graft: VERSION, package: String(PACKAGE_FORMAT) } as const;
