/**
 * The names tensors go by in files. Ours are Meta's, `layers.3.attention.wq.weight`; each parameter of a base says what
 * Hugging Face calls its tensor (`source`), so that nothing here knows a family.
 */
import type { NamingStyle, Parameter, TensorSource } from '../../compiler/model/model.ts';
import type { RopeStyle } from './rope.ts';

/** A parameter with the names of its tensor. */
export type Named = Pick<Parameter, 'name' | 'source'>;

/** How a file names its tensors, and what goes with it. */
export interface Naming {
  readonly style: NamingStyle;
  /** Order of the rows of each head where it matters (`rowOrder` is `rotary`). */
  readonly rope: RopeStyle;
  /** Name of a parameter -> the file's name of its tensor, for every parameter that the file holds. */
  readonly names: ReadonlyMap<string, string>;
  /** The file's tensors that are none of the parameters. */
  readonly others: readonly string[];
  /** What stands in front of Meta's names in this file: `llama.` in the released multi-modal V2. */
  readonly prefix: string;
}

/** Tables that can be computed: nothing is lost by not reading them. */
const ignored = /(^|\.)(rope\.freqs|rotary_emb\.inv_freq|freqs_cis)$/;

/** Fronts of Meta's names; older files misspell `llama.`. */
const prefixes = ['', 'llama.', 'llma.'] as const;

/**
 * Recognises the names of a file: Meta's, Meta's behind `llama.` (the released multi-modal V2), or Hugging Face's. A file
 * Graft wrote states its row order in the metadata entry `rope`.
 */
export function recogniseNames(
  files: Iterable<string>,
  parameters: Iterable<Named>,
  metadata: Readonly<Record<string, string>> = {},
): Naming {
  const known = spellings(parameters);
  const names = new Map<string, string>();
  const others: string[] = [];
  let huggingface = 0;
  let prefix = '';
  for (const file of files) {
    if (ignored.test(file)) continue;
    const spellings = known.get(file);
    const [spelling] = spellings ?? [];
    if (spellings === undefined || spelling === undefined) {
      others.push(file);
      if (file.startsWith('model.layers.')) huggingface++;
      continue;
    }
    for (const { parameter } of spellings) names.set(parameter, file);
    if (spelling.style === 'huggingface') huggingface++;
    else prefix = spelling.prefix;
  }
  const style = huggingface > 0 ? 'huggingface' : 'meta';
  const stated = metadata['rope'];
  const rope =
    stated === 'half' || stated === 'interleaved' ? stated : style === 'meta' ? 'interleaved' : 'half';
  return { style, rope, names, others, prefix };
}

interface Spelling {
  readonly parameter: string;
  readonly style: NamingStyle;
  readonly prefix: string;
}

/** Every name that a file may have for one of the parameters; a tensor of Hugging Face's may hold several of them. */
function spellings(parameters: Iterable<Named>): ReadonlyMap<string, readonly Spelling[]> {
  const known = new Map<string, Spelling[]>();
  for (const { name: parameter, source } of parameters) {
    for (const prefix of prefixes)
      known.set(prefix + (source?.names.meta ?? parameter), [{ parameter, style: 'meta', prefix }]);
    if (!source) continue;
    const spelling: Spelling = { parameter, style: 'huggingface', prefix: '' };
    const shared = source.rows ? known.get(source.names.huggingface) : undefined;
    if (shared) shared.push(spelling);
    else known.set(source.names.huggingface, [spelling]);
  }
  return known;
}

/** What a tensor is called in a file of this naming, also one that the file does not have yet: a merged bias. */
export const nameIn = ({ style, prefix }: Naming, names: TensorSource['names']): string =>
  style === 'huggingface' ? names.huggingface : prefix + names.meta;
