/** Sets of layers: as text, and the places of a base that have the same ones. */
import type { Site } from './model.ts';

/** Runs of ascending layers, each with the text of one: `0..3`, `6`. */
export function layerRuns(layers: readonly number[]): string[] {
  const runs: [first: number, last: number][] = [];
  for (const layer of layers) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === layer - 1) run[1] = layer;
    else runs.push([layer, layer]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}..${last}`));
}

/** Layers as the language writes them: `1..31`, `0, 4, 8`. */
export const printLayers = (layers: readonly number[]): string =>
  layers.length === 0 ? 'none' : layerRuns(layers).join(', ');

/** Places that are in the same layers, together: `attention.wq` and `attention.wv` in 0 to 31, `norm` in none. */
export interface PlacesInLayers {
  readonly layers: readonly number[];
  readonly places: readonly string[];
}

/** The places of some sites, by the layers that they are in, in the order of the sites. */
export function placesByLayers(sites: readonly Pick<Site, 'place' | 'layer'>[]): readonly PlacesInLayers[] {
  const layersOf = new Map<string, number[]>();
  for (const { place, layer } of sites)
    layersOf.set(place, [...(layersOf.get(place) ?? []), ...(layer === null ? [] : [layer])]);
  const groups = new Map<string, { readonly layers: readonly number[]; readonly places: string[] }>();
  for (const [place, layers] of layersOf) {
    const group = groups.get(layers.join()) ?? { layers, places: [] };
    group.places.push(place);
    groups.set(layers.join(), group);
  }
  return [...groups.values()];
}
