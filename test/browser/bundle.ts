/** The runtime as a page loads it: one module, made in memory. */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

/**
 * Bundles for a browser; an import of a Node module anywhere below is an error, with the place.
 * @param entry a file below runtime/
 */
export async function bundleRuntime(entry = 'browser.ts'): Promise<{
  readonly code: string;
  readonly modules: readonly string[];
}> {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL(`../../runtime/${entry}`, import.meta.url))],
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
