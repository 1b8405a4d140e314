/** The runtime as a page loads it: one module, made in memory. */
import { build, type Metafile } from 'esbuild';
import { fileURLToPath } from 'node:url';

/**
 * Bundles for a browser; an import of a Node module anywhere below is an error, with the place.
 * @param entry a file below runtime/
 */
export async function bundleRuntime(entry = 'browser.ts'): Promise<{
  readonly code: string;
  readonly modules: readonly string[];
  /** Bytes of what a page loads at first: the entry and all that it imports by a statement. */
  readonly firstBytes: number;
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
  return {
    code: outputFiles[0]?.text ?? '',
    modules: Object.keys(metafile.inputs),
    firstBytes: firstBytes(metafile),
  };
}

/** A bundler leaves what is imported by a call, such as readers of tables, in files that load when they are needed. */
function firstBytes({ inputs, outputs }: Metafile): number {
  const [output] = Object.values(outputs);
  const pending = [output?.entryPoint ?? ''];
  const loaded = new Set<string>();
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (loaded.has(path)) continue;
    loaded.add(path);
    for (const { path: imported, kind } of inputs[path]?.imports ?? [])
      if (kind === 'import-statement') pending.push(imported);
  }
  return [...loaded].reduce((sum, path) => sum + (output?.inputs[path]?.bytesInOutput ?? 0), 0);
}
