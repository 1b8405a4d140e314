import type { Metafile } from 'esbuild';

export const PROGRAMS: readonly string[];
export const LIBRARIES: readonly string[];
export function isCheckout(): boolean;
export function fingerprint(root?: string): string;
export function bundle(
  entryPoints: readonly string[],
  outdir: string,
  options?: { readonly browser?: boolean },
): Promise<Metafile>;
export function currentBuild(state?: string): string | null;
export function ensureBuild(log: (text: string) => void): Promise<string>;
