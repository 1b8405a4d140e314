/** The fusion map: what sits where, a row for each layer and a column for each part. */
import { textOf } from '../kinds/fields.ts';
import { kindOfPart } from '../kinds/index.ts';
import type { Model, Part } from '../model/model.ts';

export interface MapColumn {
  readonly part: string;
  readonly kind: string;
  /** Tasks that train any of it; empty for what nothing trains. */
  readonly tasks: readonly string[];
}

export interface MapRow {
  /** `input`, a layer's number, or a place outside of the layers. */
  readonly place: string;
  /** What each column has here, a letter for each site (see `legendOf`); empty where it has nothing. */
  readonly cells: readonly string[];
  /** The same in words: `all linears`, `wq wv`, `10 tokens`. */
  readonly words: readonly string[];
}

export interface FusionMap {
  readonly columns: readonly MapColumn[];
  readonly rows: readonly MapRow[];
}

/** What the letters of a cell mean: `q k v o: wq wk wv wo; 1 2 3: w1 w2 w3; ...`, for the bases of these models. */
export function legendOf(models: readonly Model[]): string {
  const held = new Map<string, Map<string, string>>();
  for (const { sites } of models)
    for (const site of sites) {
      if (site.letter === null) continue;
      const { place } = site;
      const holder = place.slice(0, Math.max(place.lastIndexOf('.'), 0));
      const names = held.get(holder) ?? new Map<string, string>();
      held.set(holder, names.set(site.letter, site.word));
    }
  const groups = [...held.values()].map(
    (names) => `${[...names.keys()].join(' ')}: ${[...names.values()].join(' ')}`,
  );
  return [...groups, 'a number: tokens of a prompt or prefix'].join('; ');
}

/** The map of a model; parts that sit nowhere (encoders, projectors) have no column. */
export function fusionMap(model: Model): FusionMap {
  const parts = model.parts.filter((p) => p.input || p.layers.length > 0 || p.sites.length > 0);
  const columns = parts.map((p) => ({ part: p.name, kind: p.kind, tasks: tasksOf(model, p) }));
  const layers = Array.from({ length: model.base.layers }, (_, layer) => ({
    place: String(layer),
    cells: parts.map((p) => layerCell(p, layer)),
    words: parts.map((p) => layerWords(model, p, layer)),
  }));
  const outside = model.sites
    .filter(({ layer }) => layer === null)
    .map(({ name: place }) => ({
      place,
      cells: parts.map((p) => (p.sites.some((s) => s.name === place) ? 'yes' : '')),
      words: parts.map((p) => (p.sites.some((s) => s.name === place) ? 'yes' : '')),
    }));
  const input = {
    place: 'input',
    cells: parts.map((p) => (p.input ? lengthOf(p) : '')),
    words: parts.map((p) => (p.input ? tokensOf(p) : '')),
  };
  const used = (row: MapRow): boolean => row.cells.some((cell) => cell !== '');
  const [embeddings, ...after] = outside;
  const before = [input, ...(embeddings === undefined ? [] : [embeddings])];
  return { columns, rows: [...before.filter(used), ...layers, ...after.filter(used)] };
}

const addedTo = (part: Part): string | null => kindOfPart(part).hooks.addedTo?.(part) ?? null;

const lengthOf = (part: Part): string => textOf(part.fields['length']);

function layerCell(part: Part, layer: number): string {
  if (part.layers.includes(layer)) {
    const target = addedTo(part);
    return target === null ? lengthOf(part) : `${lengthOf(part)}+${target}`;
  }
  return part.sites
    .filter((s) => s.layer === layer)
    .map(({ letter }) => letter ?? '')
    .join('');
}

const tokensOf = (part: Part): string => `${lengthOf(part)} token${lengthOf(part) === '1' ? '' : 's'}`;

/** What a part has in a layer, for readers who know no letters. */
function layerWords(model: Model, part: Part, layer: number): string {
  if (part.layers.includes(layer)) {
    const target = addedTo(part);
    return target === null ? tokensOf(part) : `added to ${target}`;
  }
  const here = part.sites.filter((s) => s.layer === layer);
  const kinds = [...new Set(here.map(({ kind }) => kind))];
  return kinds
    .map((kind) => {
      const mine = here.filter((s) => s.kind === kind);
      const alike = model.sites.filter((s) => s.layer === layer && s.kind === kind);
      return mine.length > 1 && mine.length === alike.length
        ? `all ${kind}s`
        : mine.map(({ word }) => word).join(' ');
    })
    .join(' + ');
}

/** Consecutive layers with the same cells as one row: `2..31`. The other rows stay as they are. */
export function foldRows(rows: readonly MapRow[]): MapRow[] {
  const folded: { place: string; first: string; row: MapRow }[] = [];
  for (const row of rows) {
    const last = folded.at(-1);
    const isLayer = (place: string): boolean => /^\d+$/.test(place);
    const same = last?.row.words.every((text, i) => text === row.words[i]);
    if (last && same && isLayer(last.first) && isLayer(row.place)) last.place = `${last.first}..${row.place}`;
    else folded.push({ place: row.place, first: row.place, row });
  }
  return folded.map(({ place, row }) => ({ ...row, place }));
}

function tasksOf(model: Model, part: Part): string[] {
  const unfrozen = new Set(kindOfPart(part).unfreezes?.(part, model.base));
  // A prompt that reads a projector may have no numbers of its own; then those of what it reads are trained.
  const owners = withSources(model, part);
  const own = new Set(
    model.parameters.filter((p) => owners.includes(p.owner) || unfrozen.has(p.name)).map((p) => p.name),
  );
  return model.tasks.filter((t) => t.trains.some((name) => own.has(name))).map((t) => t.name);
}

/** A part and everything it reads, at once or by way of others. */
function withSources(model: Model, part: Part): string[] {
  const source = model.parts.find((p) => p.name === part.source);
  return [part.name, ...(source ? withSources(model, source) : [])];
}

/** How a part works, in a few words: `tanh gate per head`, `scales what enters`. */
export const describePart = (part: Part): string =>
  kindOfPart(part).describe?.(part) ?? (part.source === null ? '' : `from ${part.source}`);
