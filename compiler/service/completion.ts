/** What can be written where the cursor stands. */
import type { IToken, TokenType } from 'chevrotain';
import type { Span } from '../../grammar/source.ts';
import * as t from '../../grammar/tokens.ts';
import { measures } from '../model/sweep.ts';
import {
  completeNested,
  continuations,
  namedProposals,
  operands,
  type Draft,
  type Want,
} from './complete-expression.ts';
import { fileStatement, inStatement, itemStatement } from './complete-statement.ts';
import { expectsOperand, readCursor, type Frame } from './cursor.ts';
import type { Members, Names } from './names.ts';
import { attributeProposals, word, wordsOf, type Proposal } from './proposals.ts';
import { rowOf, tableAfter, tableOf, type Table } from './tables.ts';
import type { Analysis, Workspace } from './workspace.ts';

export interface Completion {
  /** What a proposal takes the place of. */
  readonly span: Span;
  readonly proposals: readonly Proposal[];
}

/** Proposals for a place, the likeliest first; null in comments, strings and numbers. */
export function complete(workspace: Workspace, path: string, offset: number): Completion | null {
  const view = workspace.analysis(path);
  const cursor = readCursor(view?.sources.get(path) ?? '', offset);
  if (view === null || cursor === null) return null;
  const { frames, word: typed } = cursor;
  const draft = draftFor(view, frames);
  const seen = new Set<string>();
  const isSelf = (p: Proposal): boolean => p.label === draft.self.name && isDeclared(p.kind);
  const proposals = propose(frames, draft).filter(
    (p) => !isSelf(p) && !seen.has(p.label) && seen.add(p.label),
  );
  return { span: { file: path, ...typed }, proposals };
}

/** The adapter whose items the statement at hand is about: its own, or the one a recipe is `for`. */
function draftFor(view: Analysis, frames: readonly Frame[]): Draft {
  const names = view.names();
  const [head, name, ...rest] = frames[0]?.tokens ?? [];
  const after = (type: TokenType): string =>
    rest[rest.findIndex((k) => k.tokenType === type) + 1]?.image ?? '';
  const adapter = head?.tokenType === t.Adapter ? (name?.image ?? '') : after(t.For);
  const subject = view.checked().subjects.get(adapter) ?? null;
  const { bases } = view.checked();
  const base = subject?.env.base ?? bases[after(t.On)] ?? Object.values(bases)[0] ?? null;
  return {
    names,
    members: names.members(adapter),
    subject,
    base,
    self: selfOf(frames, names.members(adapter)),
  };
}

/** The declaration or item around the cursor; an override and a drop are about another one. */
function selfOf(frames: readonly Frame[], members: Members): Draft['self'] {
  const named = frames.filter((f) => f.opens === 'file' || f.opens === 'body').at(-1);
  const [head, name] = named?.tokens ?? [];
  if (head?.tokenType !== t.Override && head?.tokenType !== t.Drop)
    return { head: head?.image ?? '', name: name?.image ?? '' };
  const changed = members.get(name?.image ?? '')?.node;
  return { head: changed?.kind === 'part' ? changed.type.text : '', name: '' };
}

const isDeclared = (kind: Proposal['kind']): boolean =>
  ['param', 'base', 'data', 'adapter', 'recipe', 'part', 'group', 'task'].includes(kind);

function propose(frames: readonly Frame[], draft: Draft): Proposal[] {
  const at = frames.findLastIndex((f) => f.opens === 'file' || f.opens === 'body' || f.opens === 'block');
  const frame = frames[at];
  const outer = frames[at - 1];
  if (frame === undefined) return [];
  const inner = frames.slice(at);
  if (frame.opens === 'file') return inStatement(fileStatement(frame.tokens, draft), inner, draft);
  if (frame.opens === 'body') return inStatement(itemStatement(frame.tokens, draft), inner, draft);
  return inBlock(outer?.tokens ?? [], inner, draft);
}

/** Attributes and their values, in the block that `outer` opens. */
function inBlock(outer: readonly IToken[], frames: readonly Frame[], draft: Draft): Proposal[] {
  const [frame] = frames;
  if (frame === undefined) return [];
  const { tokens, written } = frame;
  const [name, sign] = tokens;
  const isSweep = outer[0]?.tokenType === t.Sweep;
  const table = tableFor(outer, draft);
  const fields = isSweep ? sweepFields(draft.names, written) : attributeProposals(table ?? {}, written, '=');
  if (name === undefined) return fields;
  if (isSweep && name.tokenType === t.Where) return inCondition(frames, draft, fields);
  if (sign?.tokenType !== t.Equal) return [];
  const row = rowOf(table, name.image);
  const isMeasure = isSweep && name.image === 'measure';
  if (isMeasure && frames.length === 2)
    return wordsOf(Object.fromEntries(measures.map((m) => [m, ''])), 'value');
  const want: Want = isSweep
    ? { role: isMeasure || name.image === 'seed' ? 'nothing' : 'layers' }
    : row === undefined
      ? { role: 'nothing' }
      : { role: 'value', type: row.type, fallback: row.default };
  if (frames.length > 1) return completeNested(want, frames, draft);
  const rest = tokens.slice(2);
  if (expectsOperand(rest)) return isSweep ? [] : operands(want, rest, draft);
  return [...continuations(want, rest), ...fields];
}

/** The attributes of the block that some tokens open. */
function tableFor(outer: readonly IToken[], { members }: Draft): Table | null {
  const [head, name] = outer;
  if (head?.tokenType !== t.Override) return tableAfter(head?.image ?? '');
  const changed = members.get(name?.image ?? '')?.node;
  return changed === undefined ? null : tableOf(changed);
}

const sweepFields = ({ globals }: Names, written: readonly string[]): Proposal[] => [
  ...[
    ...namedProposals(globals.param),
    ...wordsOf({ seed: 'Seeds of the runs.', measure: 'What is recorded.' }, 'attribute'),
  ]
    .filter(({ label }) => !written.includes(label))
    .map((p) => ({ ...p, snippet: `${p.label} = [$1]` })),
  word('where'),
];

function inCondition(frames: readonly Frame[], draft: Draft, fields: readonly Proposal[]): Proposal[] {
  const want: Want = { role: 'layers' };
  const tokens = frames[0]?.tokens ?? [];
  if (frames.length > 1) return completeNested(want, frames, draft);
  if (expectsOperand(tokens)) return operands(want, tokens, draft);
  const compared = tokens.some((k) => k.tokenType === t.EqualEqual || k.tokenType === t.NotEqual);
  return [...continuations(want, tokens), ...(compared ? fields : [])];
}
