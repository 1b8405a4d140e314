/** Which places of the base a selector means: paths as the checkpoint names them, or `every KIND in ...`. */
import { singleName, type Every, type Expression, type Path, type Segment } from '../../grammar/ast.ts';
import { printExpression } from '../../grammar/print.ts';
import type { Site, SiteKind } from '../model/model.ts';
import { translatedPath } from './aliases.ts';
import type { Missing, Target } from './checked.ts';
import { inParam, type BaseEnv } from './env.ts';
import { layersOf } from './layers.ts';
import { noSuchPlace, notAPlace, notIndexed, wrongPlace } from './diagnostics/places.ts';
import { unknownSiteKind } from './diagnostics/values.ts';

/** Sites in model order, or null after reporting why there are none. */
export function sitesSelected(
  env: BaseEnv,
  sites: readonly Site[],
  e: Expression,
  target: Target,
): readonly Site[] | null {
  const found = select(env, sites, e, target);
  if (found === null) return null;
  const chosen = new Set(found.map((s) => s.name));
  return sites.filter((s) => chosen.has(s.name));
}

function select(env: BaseEnv, sites: readonly Site[], e: Expression, target: Target): readonly Site[] | null {
  switch (e.kind) {
    case 'path': {
      const name = singleName(e);
      const param = name === null ? undefined : env.scope.params.get(name.text);
      if (name !== null && param !== undefined) return select(inParam(env, name), sites, param.value, target);
      return selectPath(env, sites, e, target);
    }
    case 'every':
      return selectEvery(env, sites, e, target);
    case 'binary': {
      const left = select(env, sites, e.left, target);
      const right = select(env, sites, e.right, target);
      if (left === null || right === null) return null;
      if (e.operator === '+') return [...left, ...right];
      const names = new Set(right.map((s) => s.name));
      return left.filter((s) => names.has(s.name) === (e.operator === '&'));
    }
    case 'missing':
      return null;
    default:
      env.report(notAPlace(e, target.kind));
      return null;
  }
}

function selectPath(env: BaseEnv, sites: readonly Site[], e: Path, target: Target): readonly Site[] | null {
  const misplaced = e.segments.find((s) => s.kind === 'name' && s.index !== null && s.name.text !== 'layers');
  if (misplaced !== undefined) {
    env.report(notIndexed(e, misplaced));
    return null;
  }
  const missing = firstMissing(sites, e.segments);
  if (missing !== null) {
    const candidates = wordsAfter(sites, e.segments.slice(0, missing.index));
    env.report(noSuchPlace(e, missing, candidates, target, translation(sites, e, target)));
    return null;
  }
  const here = sitesAt(sites, e.segments);
  const fitting = here.filter((s) => target.accepts.includes(s.kind));
  if (fitting.length === 0) {
    env.report(wrongPlace(e, here, target));
    return null;
  }
  const layers = layersOfPath(env, e.segments);
  return layers === null
    ? null
    : layers === 'any'
      ? fitting
      : fitting.filter((s) => layers.includes(s.layer ?? -1));
}

/** The path in our names, when that is another one and leads to a place for this part. */
function translation(sites: readonly Site[], e: Path, target: Target): Path | null {
  const ours = translatedPath(e);
  if (ours.segments.length === 0 || printExpression(ours) === printExpression(e)) return null;
  if (firstMissing(sites, ours.segments) !== null) return null;
  const fits = sitesAt(sites, ours.segments).some((s) => target.accepts.includes(s.kind));
  return fits ? ours : null;
}

/** The layers a path is restricted to by `layers[...]` or `layers.3`. */
function layersOfPath(env: BaseEnv, segments: readonly Segment[]): readonly number[] | 'any' | null {
  const at = segments.findIndex((s) => s.kind === 'name' && s.name.text === 'layers');
  const layers = segments[at];
  if (layers?.kind !== 'name') return 'any';
  if (layers.index !== null) return layersOf(env, layers.index);
  const next = segments[at + 1];
  if (!isLayerNumber(next)) return 'any';
  const { text, span } = next.name;
  return layersOf(env, { kind: 'number', value: Number(text), text, unit: null, span });
}

type Named = Segment & { readonly kind: 'name' };

const isLayerNumber = (s: Segment | undefined): s is Named =>
  s?.kind === 'name' && /^[0-9]+$/.test(s.name.text);

const knownWords = new WeakMap<Site, readonly string[]>();

/** A site's name without its layer number: a path's words are matched with these. */
function wordsOf(site: Site): readonly string[] {
  const known = knownWords.get(site);
  if (known !== undefined) return known;
  const words = site.name.split('.').filter((word) => !/^[0-9]+$/.test(word));
  knownWords.set(site, words);
  return words;
}

/** Whether a path names a site, itself or by something that contains it; layers are not looked at. */
function matcher(segments: readonly Segment[]): (site: Site) => boolean {
  const pattern = segments.filter((s) => !isLayerNumber(s));
  return (site) => covers(pattern, wordsOf(site));
}

const sitesAt = (sites: readonly Site[], segments: readonly Segment[]): readonly Site[] =>
  sites.filter(matcher(segments));

const leadsSomewhere = (sites: readonly Site[], segments: readonly Segment[]): boolean =>
  sites.some(matcher(segments));

/** Whether `segments` from the i-th on fit `words` from the j-th on. */
function covers(segments: readonly Segment[], words: readonly string[], i = 0, j = 0): boolean {
  const segment = segments[i];
  if (segment === undefined) return true;
  const word = words[j];
  if (segment.kind === 'any')
    return covers(segments, words, i + 1, j) || (word !== undefined && covers(segments, words, i, j + 1));
  return word !== undefined && fits(segment, word) && covers(segments, words, i + 1, j + 1);
}

function fits(segment: Segment, word: string): boolean {
  if (segment.kind === 'name') return segment.name.text === word;
  return segment.kind !== 'choice' || segment.names.some((n) => n.text === word);
}

function firstMissing(sites: readonly Site[], segments: readonly Segment[]): Missing | null {
  for (const [index, segment] of segments.entries()) {
    const before = segments.slice(0, index);
    const names = segment.kind === 'choice' ? segment.names : segment.kind === 'name' ? [segment.name] : [];
    for (const name of names) {
      const one: Segment = { kind: 'name', name, index: null, span: name.span };
      if (!leadsSomewhere(sites, [...before, one])) return { index, name };
    }
    if (!leadsSomewhere(sites, [...before, segment]))
      return { index, name: { text: '*', span: segment.span } };
  }
  return null;
}

/** The words that can follow a path: what could stand where it leads nowhere, and what an editor proposes. */
export function wordsAfter(sites: readonly Site[], path: readonly Segment[]): string[] {
  const exact = path.every((s) => s.kind !== 'any');
  const depth = path.filter((s) => !isLayerNumber(s)).length;
  const words = sitesAt(sites, path).flatMap((s) =>
    exact ? wordsOf(s).slice(depth, depth + 1) : wordsOf(s),
  );
  return [...new Set(words)];
}

const siteKinds: readonly SiteKind[] = ['linear', 'norm', 'embedding'];

function selectEvery(env: BaseEnv, sites: readonly Site[], e: Every, target: Target): readonly Site[] | null {
  const kind = siteKinds.find((k) => k === e.what.text);
  if (kind === undefined) {
    env.report(unknownSiteKind(e.what, siteKinds));
    return null;
  }
  if (!target.accepts.includes(kind)) {
    env.report(
      wrongPlace(
        e,
        sites.filter((s) => s.kind === kind),
        target,
      ),
    );
    return null;
  }
  const narrowed: Target = { kind: target.kind, accepts: [kind] };
  const area = e.within === null ? sites : selectArea(env, sites, e.within, narrowed);
  return area === null ? null : area.filter((s) => s.kind === kind);
}

/** After `in`: a path, or layers by themselves as in `every linear in last 4`. */
function selectArea(
  env: BaseEnv,
  sites: readonly Site[],
  e: Expression,
  target: Target,
): readonly Site[] | null {
  const name = singleName(e);
  const param = name === null ? undefined : env.scope.params.get(name.text);
  if (name !== null && param !== undefined) return selectArea(inParam(env, name), sites, param.value, target);
  if (['path', 'every', 'missing'].includes(e.kind) && name?.text !== 'all' && name?.text !== 'none') {
    return select(env, sites, e, target);
  }
  const layers = layersOf(env, e);
  return layers === null ? null : sites.filter((s) => s.layer !== null && layers.includes(s.layer));
}
