/** Places of a base as a selector of the language, and as names of modules in a PEFT configuration. */
import { layerRuns } from '../../compiler/model/layers.ts';
import { type Base, lastWord, type Site } from '../../compiler/model/model.ts';

/** `[0..2 + 5]` of ascending layers; nothing of all layers. */
export function layersText(layers: readonly number[], base: Pick<Base, 'layers'>): string {
  return layers.length === base.layers ? '' : `[${layerRuns(layers).join(' + ')}]`;
}

/**
 * A selector that means exactly these places: `layers[0..1].attention.{wq, wv} + layers.feed_forward.w2 + output`, or
 * `every linear in layers` where that is shorter.
 * @param all the places of the base
 */
export function selectorOf(sites: readonly Site[], all: readonly Site[], base: Pick<Base, 'layers'>): string {
  const chosen = new Set(sites.map(({ name }) => name));
  for (const kind of ['linear', 'norm'] as const)
    for (const [text, of] of [
      [`every ${kind}`, all.filter((site) => site.kind === kind)],
      [`every ${kind} in layers`, all.filter((site) => site.kind === kind && site.layer !== null)],
    ] as const)
      if (of.length === chosen.size && of.every(({ name }) => chosen.has(name))) return text;
  // Places of the same layers stand together, and those of one holder in one pair of braces.
  const byPlace = new Map<string, number[]>();
  const outside: string[] = [];
  for (const site of sites)
    if (site.layer === null) outside.push(site.name);
    else byPlace.set(site.place, [...(byPlace.get(site.place) ?? []), site.layer]);
  const byHolder = new Map<string, string[]>();
  for (const [place, layers] of byPlace) {
    const at = `layers${layersText(
      layers.toSorted((a, b) => a - b),
      base,
    )}`;
    const dot = place.lastIndexOf('.');
    const holder = dot < 0 ? at : `${at}.${place.slice(0, dot)}`;
    byHolder.set(holder, [...(byHolder.get(holder) ?? []), lastWord(place)]);
  }
  const inLayers = [...byHolder].map(([holder, names]) =>
    names.length === 1 ? `${holder}.${names[0]}` : `${holder}.{${names.join(', ')}}`,
  );
  return [...inLayers, ...outside].join(' + ');
}
