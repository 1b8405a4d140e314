/** Files that a spec names and that are not there: `check` warns of them, what reads them fails. */
import type { Checked } from '../../compiler/check/check.ts';
import { diagnose, type Diagnostic } from '../../grammar/diagnostic.ts';
import type { Host } from '../../compiler/host.ts';
import type { Span } from '../../grammar/source.ts';
import { weightsFile } from './weights-file.ts';

/** Stands where other diagnostics have the code that `graft explain` takes: it says all there is to say. */
const CODE = 'missing-file';

/** How to come by the weights of a base. */
export const GET_WEIGHTS =
  '`graft pull ORG/NAME` fetches a model of the hub and prints its folder; put its path, or that of your own, into `weights`';

/**
 * A warning for each file, at the first place of the spec itself that stands on it.
 * @param exists whether there is a file or a folder at a path
 */
export function missingFiles(checked: Checked, specs: Host, exists: (path: string) => boolean): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  const need = (path: string | null | undefined, what: string, span: Span, help: string): void => {
    if (path === null || path === undefined || found.has(path) || exists(path)) return;
    found.set(path, diagnose('warning', CODE, span, `${path} is not there: ${what}`, { help }));
  };
  for (const [name, { base, parts, data }] of Object.entries(checked.adapters)) {
    const subject = checked.subjects.get(name);
    const place = subject?.flat.base.span;
    if (place?.file === checked.path) {
      need(base.weights, `the weights of \`${base.name}\``, place, GET_WEIGHTS);
      need(base.tokenizer, `the tokenizer of \`${base.name}\``, place, 'it comes with the weights');
    }
    for (const part of parts)
      need(
        weightsFile(specs, part),
        `the weights of \`${part.name}\``,
        part.span,
        'download them to this place',
      );
    for (const { name: source, paths, span } of data)
      for (const path of paths)
        need(path, `a file of the data \`${source}\``, span, 'check the path: it counts from the spec');
  }
  return [...found.values()];
}
