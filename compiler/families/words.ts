/** The words that paths to places are made of, ours and those of Hugging Face: for suggestions and for an editor. */
import { lastWord, type SiteKind } from '../model/model.ts';
import { allPlaces } from './index.ts';

/** Short names of the places of one kind, in checkpoint order: `wq`, `wk`, ... of linears. */
export const namesOf = (kind: SiteKind): readonly string[] =>
  allPlaces.filter((place) => place.kind === kind).map(({ name }) => lastWord(name));

/** What in a layer holds linears, and their short names: `attention` holds `wq`, `wk`, `wv` and `wo`. */
export const linearsByHolder: Readonly<Record<string, readonly string[]>> = byHolder();

function byHolder(): Record<string, string[]> {
  const held: Record<string, string[]> = {};
  for (const { kind, name } of allPlaces) {
    const dot = name.lastIndexOf('.');
    if (kind === 'linear' && dot > 0) (held[name.slice(0, dot)] ??= []).push(lastWord(name));
  }
  return held;
}

/** Every word of our paths: `layers`, `attention`, `wq`, `norm`, ... */
export const placeWords: ReadonlySet<string> = new Set([
  'layers',
  ...allPlaces.flatMap(({ name }) => name.split('.')),
]);

/** Hugging Face's words for ours: `q_proj` for `wq`, `self_attn` for `attention`. */
export const huggingfaceWords: Readonly<Record<string, string>> = Object.fromEntries(
  allPlaces.toReversed().flatMap(({ name, huggingface }) => {
    const [ours, theirs] = [name.split('.').reverse(), huggingface.split('.').reverse()];
    // From the last word on: what is before it in one of the two only (`model.norm`) stands for nothing.
    return ours.map((word, i) => [theirs[i] ?? word, word] as const).filter(([a, b]) => a !== b);
  }),
);
