/** What can stand in an expression, by what the expression is read as. */
import type { IToken } from 'chevrotain';
import type { Segment } from '../../grammar/ast.ts';
import * as t from '../../grammar/tokens.ts';
import type { Subject } from '../check/check.ts';
import { accepted } from '../check/parts.ts';
import { wordsAfter } from '../check/selectors.ts';
import type { Field, FieldType, Kind } from '../kinds/kind.ts';
import { type Base, lastWord, type Site, type SiteKind } from '../model/model.ts';
import { sitesOf } from '../families/sites.ts';
import { expectsOperand, type Frame } from './cursor.ts';
import { partSize } from './describe-names.ts';
import type { Members, Named, Names } from './names.ts';
import {
  attributeProposals,
  layerProposals,
  namedProposal,
  valueProposals,
  word,
  wordsOf,
  type Proposal,
} from './proposals.ts';
import { alternatives, argumentRow, argumentsOf, itemType } from './tables.ts';
import { inputWord, layerWords, siteWords } from './keyword-docs.ts';

/** What is known where the cursor stands. */
export interface Draft {
  readonly names: Names;
  /** Items of the adapter at hand; of the one a recipe or sweep is for. */
  readonly members: Members;
  readonly subject: Subject | null;
  readonly base: Base | null;
  /** What is being declared: the first two words of the innermost statement with a name. It is not proposed to itself. */
  readonly self: { readonly head: string; readonly name: string };
}

/** What an expression is read as. */
export type Want =
  | { readonly role: 'layers' }
  /** `kind` is null when nobody knows the kind of the part. */
  | { readonly role: 'place'; readonly kind: Kind | null }
  | { readonly role: 'members' }
  | { readonly role: 'value'; readonly type: FieldType; readonly fallback: Field['default'] }
  | { readonly role: 'nothing' };

const nothing: Want = { role: 'nothing' };

/** Proposals inside of brackets. `frames` are those around the cursor, the first is the one the expression is in. */
export function completeNested(want: Want, frames: readonly Frame[], draft: Draft): Proposal[] {
  let inner = want;
  for (const [i, frame] of frames.slice(1).entries()) {
    const outer = frames[i]?.tokens ?? [];
    if (frame.opens === 'choice') return pathWords(outer.slice(0, -1), inner, draft, frame.written);
    const isLast = i === frames.length - 2;
    if (frame.opens === 'call' && isLast && frame.tokens.length === 0)
      return argumentsAt(inner, outer, frame, draft);
    inner = insideOf(inner, outer, frame);
  }
  const { tokens } = frames.at(-1) ?? { tokens: [] };
  return expectsOperand(tokens) ? operands(inner, tokens, draft) : continuations(inner, tokens);
}

/** What is wanted in a bracket that stands where `want` was. */
function insideOf(want: Want, outer: readonly IToken[], frame: Frame): Want {
  if (frame.opens === 'index') return { role: 'layers' };
  if (want.role !== 'value' || frame.opens === 'paren') return want;
  if (frame.opens === 'list') {
    const type = itemType(want.type);
    return type === null ? { role: 'layers' } : { role: 'value', type, fallback: undefined };
  }
  const named = frame.tokens[1]?.tokenType === t.Colon ? (frame.tokens[0]?.image ?? null) : null;
  const at = argumentRow(want.type, outer.at(-2)?.image ?? '', named, frame.index);
  return at === null ? nothing : { role: 'value', type: at.type, fallback: at.row?.default };
}

/** At the beginning of an argument: names, and the values of the argument that stands there without its name. */
function argumentsAt(want: Want, outer: readonly IToken[], frame: Frame, draft: Draft): Proposal[] {
  if (want.role !== 'value') return [];
  const known = argumentsOf(want.type, outer.at(-2)?.image ?? '');
  if (known === null) return [];
  const tasks = [...draft.members.values()].filter((m) => m.kind === 'task' && known.rest !== undefined);
  return [
    ...attributeProposals(known.rows, frame.written, ':'),
    ...tasks
      .filter((m) => !frame.written.includes(m.name.text))
      .map((m) => ({ ...namedProposal(m), snippet: `${m.name.text}: $1` })),
    ...(frame.written.length === 0 ? operands(insideOf(want, outer, frame), [], draft) : []),
  ];
}

/** What can follow a sign or a word that asks for more. */
export function operands(want: Want, tokens: readonly IToken[], draft: Draft): Proposal[] {
  const last = tokens.at(-1)?.tokenType;
  const params = namedProposals(draft.names.globals.param);
  if (last === t.First || last === t.Last) return params;
  switch (want.role) {
    case 'value': {
      const types = alternatives(want.type);
      const names = types.flatMap((type) => namesFor(type, draft));
      // Where a name is meant a param is not looked up.
      const more = types.every((type) => type.kind === 'name') ? [] : params;
      return [...valueProposals(want.type, want.fallback), ...names, ...more];
    }
    case 'layers':
      return [...layerProposals, ...params];
    case 'place':
      return placeOperands(want.kind, tokens, draft, params);
    case 'members':
      return last === t.Dot
        ? partMembers(tokens, draft)
        : [...membersOf(draft, ['part', 'group']), word('base')];
    case 'nothing':
      return [];
  }
}

/** Words that go on from a finished operand. */
export function continuations(want: Want, tokens: readonly IToken[]): Proposal[] {
  const [before, last] = [tokens.at(-2)?.tokenType, tokens.at(-1)?.tokenType];
  const layers = want.role === 'layers' || want.role === 'place';
  if (layers && last === t.NumberToken && before === t.DotDot) return [word('by')];
  if (layers && (before === t.First || before === t.Last || before === t.Every)) return [word('in')];
  const lasts = want.role === 'value' && alternatives(want.type).some((type) => type.kind === 'duration');
  return lasts && last === t.NumberToken ? wordsOf({ epochs: '', steps: '' }, 'value') : [];
}

export const namedProposals = (table: ReadonlyMap<string, Named>): Proposal[] =>
  [...table.values()].map(namedProposal);

export const membersOf = ({ members }: Draft, kinds: readonly Named['kind'][]): Proposal[] =>
  [...members.values()].filter((m) => kinds.includes(m.kind)).map(namedProposal);

/** Names and layers that a type takes. */
function namesFor(type: FieldType, draft: Draft): readonly Proposal[] {
  if (type.kind === 'layers') return layerProposals;
  if (type.kind !== 'name') return [];
  return type.of === 'data' ? namedProposals(draft.names.globals.data) : likeSelf(draft);
}

/** Other parts of the same kind: those a part can be added to. */
const likeSelf = ({ members, self }: Draft): Proposal[] =>
  [...members.values()]
    .filter(({ node }) => node.kind === 'part' && node.type.text === self.head)
    .map(namedProposal);

const everywhere: readonly SiteKind[] = ['linear', 'norm', 'embedding'];

/** The places a part of this kind can sit on; null for one that sits on layers or on the input. */
const sitesFor = (kind: Kind | null, base: Base): readonly Site[] =>
  sitesOf(base).filter((s) => (kind === null ? everywhere : (accepted[kind.selects] ?? [])).includes(s.kind));

function placeOperands(
  kind: Kind | null,
  tokens: readonly IToken[],
  draft: Draft,
  params: readonly Proposal[],
): Proposal[] {
  const last = tokens.at(-1)?.tokenType;
  const layers: Proposal = {
    ...{ label: 'layers', kind: 'place', detail: '', doc: layerWords['layers'] ?? '' },
    ...(kind === null || accepted[kind.selects] === undefined ? { snippet: 'layers[$1]' } : {}),
  };
  if (kind !== null && accepted[kind.selects] === undefined) {
    const input = kind.selects.endsWith('input') ? wordsOf({ input: inputWord }, 'place') : [];
    return [...(kind.selects === 'input' ? [] : [layers, ...layerProposals]), ...input, ...params];
  }
  const kinds = kind === null ? everywhere : (accepted[kind.selects] ?? []);
  if (last === t.Every) return wordsOf(siteWords, 'place').filter((p) => kinds.some((k) => k === p.label));
  if (last === t.Dot) return pathWords(tokens, { role: 'place', kind }, draft, []);
  const heads = draft.base === null ? [] : wordsAfter(sitesFor(kind, draft.base), []);
  const places = [layers, ...heads.filter((h) => h !== 'layers').map((h) => placeWord(h))];
  if (last === t.In) return [...places, ...layerProposals, ...params];
  return [word('every'), ...places, ...params];
}

const placeWord = (label: string): Proposal => ({ label, kind: 'place', detail: '', doc: '' });

/** Words that can follow a path, which ends with a dot. */
function pathWords(
  tokens: readonly IToken[],
  want: Want,
  { base }: Draft,
  without: readonly string[],
): Proposal[] {
  if (want.role !== 'place' || base === null) return [];
  const words = wordsAfter(sitesFor(want.kind, base), segmentsBefore(tokens));
  return words.filter((w) => !without.includes(w)).map(placeWord);
}

/** The path that ends with the last token, a dot. Indices do not matter; a choice counts as any word. */
function segmentsBefore(tokens: readonly IToken[]): Segment[] {
  const segments: Segment[] = [];
  let i = tokens.length - 1;
  while (tokens[i]?.tokenType === t.Dot) {
    let at = tokens[i - 1];
    if (at?.tokenType === t.RightBracket) at = tokens[(i -= 2) - 1];
    const isChoice = at?.tokenType === t.RightBrace;
    if (isChoice) i -= 1;
    if (at === undefined) break;
    segments.unshift(segmentOf(at, isChoice));
    i -= 2;
  }
  return segments;
}

function segmentOf(token: IToken, isChoice: boolean): Segment {
  const span = { file: '', start: token.startOffset, end: token.startOffset };
  if (token.tokenType === t.StarStar) return { kind: 'any', span };
  if (isChoice || token.tokenType === t.Star) return { kind: 'one', span };
  return { kind: 'name', name: { text: token.image, span }, index: null, span };
}

/** Behind `words.`: the last words of the part's parameters. */
function partMembers(tokens: readonly IToken[], { subject, members }: Draft): Proposal[] {
  const name = tokens.at(-2)?.image ?? '';
  if (subject === null || members.get(name)?.kind !== 'part') return [];
  const names = partSize(subject, name)?.names ?? [];
  const words = new Set(names.map(lastWord));
  return [...words].map((label) => ({ label, kind: 'part', detail: `of ${name}`, doc: '' }));
}
