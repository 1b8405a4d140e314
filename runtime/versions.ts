/** Versions that a run's files carry. */
import { PACKAGE_FORMAT } from '../compiler/package/package.ts';

/** As package.json has it. */
export const VERSION = '0.1.0';
export const versions = { graft: VERSION, package: String(PACKAGE_FORMAT) } as const;
