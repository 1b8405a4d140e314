/** Figures and places in the user's words. */
import { placesByLayers, printLayers } from '../model/layers.ts';
import { plural } from '../describe/base.ts';
import { sumOf } from '../describe/counts.ts';
import type { Base, Parameter, Part, Site } from '../model/model.ts';
import { baseParameters } from '../families/sites.ts';

/** `1,229,760 parameters, 0.0182% of llama7b`. */
export function share(numbers: number, base: Base): string {
  const percent = (100 * numbers) / sumOf(baseParameters(base));
  return `${plural(numbers, 'parameter')}, ${percent.toFixed(4)}% of ${base.name}`;
}

/** `layers 1..31 (31 of 32)`. */
export function describeLayers(layers: readonly number[], base: Base): string {
  if (layers.length === 0) return `no layer (0 of ${base.layers})`;
  return `layer${layers.length === 1 ? '' : 's'} ${printLayers(layers)} (${layers.length} of ${base.layers})`;
}

/** `64 linears: attention.{wq, wv} in layers 0..31 (32 of 32)`, a line for each set of layers. */
export function describeSites(sites: readonly Site[], base: Base): string[] {
  if (sites.length === 0) return ['no place'];
  const kinds = new Set(sites.map((s) => s.kind));
  const noun = kinds.size === 1 ? (sites[0]?.kind ?? 'place') : 'place';
  const lines = placesByLayers(sites).map(({ layers, places }) => {
    const where = layers.length === 0 ? '' : ` in ${describeLayers(layers, base)}`;
    return `${places.map((place) => `\`${place}\``).join(', ')}${where}`;
  });
  return [plural(sites.length, noun), ...lines];
}

/** Where a part sits; nothing for one that sits nowhere. */
export function describePlace(part: Part, base: Base): string[] {
  if (part.input) return ['in front of the words'];
  if (part.layers.length > 0) return [describeLayers(part.layers, base)];
  return part.sites.length > 0 ? describeSites(part.sites, base) : [];
}

/** How many numbers some parameters are. */
export function countOf(parameters: readonly Parameter[], names: Iterable<string>): number {
  const wanted = new Set(names);
  return sumOf(parameters.filter((p) => wanted.has(p.name)));
}
