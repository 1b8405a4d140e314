/** How a spec and one of its adapters, bases or sweeps are named in one word. */

/** `a/b.adapter:Name` in two; `-` is standard input. */
export function splitSpec(argument: string): { readonly path: string; readonly name: string | undefined } {
  const found = /^(.+\.adapter|-):([A-Za-z_]\w*)$/.exec(argument);
  return found === null
    ? { path: argument, name: undefined }
    : { path: found[1] ?? argument, name: found[2] };
}
