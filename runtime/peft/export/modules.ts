/** Places of a base as PEFT's configuration says them: by the last words of names and by layers, or one by one. */
import { lastWord, type Site } from '../../../compiler/model/model.ts';

/** `target_modules` and `layers_to_transform` of places that are all of one kind. */
export interface Targets {
  readonly target_modules: readonly string[];
  readonly layers_to_transform: readonly number[] | null;
}

/**
 * The shortest way to say which places are meant.
 * @param all the places among which PEFT looks for the names
 */
export function targetsFor(sites: readonly Site[], all: readonly Site[]): Targets {
  const words = [...new Set(sites.map(({ huggingface }) => lastWord(huggingface)))];
  const layersOf = (from: readonly Site[], word: string): string =>
    from.flatMap(({ huggingface, layer }) => (lastWord(huggingface) === word ? [layer ?? -1] : [])).join();
  if (words.every((word) => layersOf(sites, word) === layersOf(all, word)))
    return { target_modules: words, layers_to_transform: null };
  // A name of all layers' places is cut to some layers; a name outside of the layers is left alone by that.
  const inLayers = sites.filter(({ layer }) => layer !== null);
  const layers = [...new Set(inLayers.map(({ layer }) => layer ?? -1))].sort((a, b) => a - b);
  const cut = words.every((word) => ['-1', layers.join()].includes(layersOf(sites, word)));
  return cut
    ? { target_modules: words, layers_to_transform: layers }
    : { target_modules: sites.map(({ huggingface }) => huggingface), layers_to_transform: null };
}

/**
 * One number for most places, and others by pattern: by the last word where all places of that word have it.
 * @returns the number of most, and `{ q_proj: 2 }`
 */
export function patternOf(numbers: ReadonlyMap<Site, number>): {
  readonly usual: number;
  readonly pattern: Readonly<Record<string, number>>;
} {
  const counts = new Map<number, number>();
  for (const number of numbers.values()) counts.set(number, (counts.get(number) ?? 0) + 1);
  const [[usual] = [0]] = [...counts].sort((a, b) => b[1] - a[1]);
  const pattern: Record<string, number> = {};
  for (const word of new Set([...numbers.keys()].map(({ huggingface }) => lastWord(huggingface)))) {
    const own = [...numbers].filter(([{ huggingface }]) => lastWord(huggingface) === word);
    const [[, first] = [null, usual]] = own;
    if (own.every(([, number]) => number === first)) {
      if (first !== usual) pattern[word] = first;
    } else
      for (const [{ huggingface }, number] of own)
        if (number !== usual) pattern[huggingface.replace(/^model\./, '')] = number;
  }
  return { usual, pattern };
}

/** `modules_to_save`: PEFT takes every module whose name ends in one of these, at no border of words. */
export const savedNames = (sites: readonly Site[], all: readonly Site[]): string[] => [
  ...new Set(
    sites.map(({ huggingface }) => {
      const word = lastWord(huggingface);
      const meant = all.filter((site) => site.huggingface.endsWith(word));
      return meant.every((site) => sites.includes(site)) ? word : huggingface;
    }),
  ),
];
