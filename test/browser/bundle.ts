/** The runtime as a page loads it: one module, made in memory. */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../runtime/browser.ts', import.meta.url));

/** Bundles for a browser; an import of a Node module anywhere below is an error, with the place. */
export async function bundleRuntime(): Promise<{
  readonly code: string;
  readonly modules: readonly string[];
}> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  return { code: outputFiles[0]?.text ?? '', modules: Object.keys(metafile.inputs) };
}
