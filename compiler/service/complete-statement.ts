/** How declarations and items go on: the clauses they have, in their order, and what each takes. */
import type { IToken, TokenType } from 'chevrotain';
import * as t from '../../grammar/tokens.ts';
import { kindOf } from '../kinds/index.ts';
import type { Kind } from '../kinds/kind.ts';
import {
  completeNested,
  continuations,
  membersOf,
  namedProposals,
  operands,
  type Draft,
  type Want,
} from './complete-expression.ts';
import { expectsOperand, type Frame } from './cursor.ts';
import { formatProposals, kindProposals, word, type Proposal } from './proposals.ts';

/** A part of a statement, begun by a word or sign: `on PLACE`, `= EXPRESSION`, `for ADAPTER`. */
interface Clause {
  readonly begins: TokenType;
  /** An expression, or names to choose from. */
  readonly takes: Want | readonly Proposal[];
  readonly required?: boolean;
}

interface Statement {
  readonly tokens: readonly IToken[];
  /** Tokens before the first clause. */
  readonly head: number;
  readonly clauses: readonly Clause[];
  /** What may begin behind it. */
  readonly next: readonly Proposal[];
}

const isWant = (takes: Clause['takes']): takes is Want => !Array.isArray(takes);

/** Proposals in a statement, or in the brackets that `frames` has behind it. */
export function inStatement(s: Statement, frames: readonly Frame[], draft: Draft): Proposal[] {
  const { tokens, head, clauses, next } = s;
  const at = tokens.findLastIndex(
    (k, i) => clauses.some((c) => c.begins === k.tokenType) && tokens[i - 1]?.tokenType !== t.Dot,
  );
  const index = clauses.findIndex((c) => c.begins === tokens[at]?.tokenType);
  const clause = clauses[index];
  const rest = tokens.slice(at + 1);
  const takes = clause?.takes ?? [];
  if (frames.length > 1) return isWant(takes) ? completeNested(takes, frames, draft) : [];
  if (clause !== undefined && expectsOperand(rest))
    return isWant(takes) ? operands(takes, rest, draft) : [...takes];
  if (clause === undefined && tokens.length < head) return tokens.length === 0 ? [...next] : [];
  const following = clauses.slice(index + 1).filter((c) => c.begins !== t.Equal);
  const words = following.map((c) => word(t.spelling(c.begins)));
  const more = isWant(takes) ? continuations(takes, rest) : [];
  const open = clauses.slice(index + 1).some((c) => c.required === true);
  return [...more, ...words, ...(open ? [] : next)];
}

const declarations: readonly Proposal[] = t.declarationKeywords.map((k) => word(t.spelling(k)));
const items: readonly Proposal[] = [...kindProposals, ...t.itemKeywords.map((k) => word(t.spelling(k)))];

/** A declaration, as far as it is written. */
export function fileStatement(tokens: readonly IToken[], { names }: Draft): Statement {
  const of = (kind: 'base' | 'adapter' | 'recipe') => namedProposals(names.globals[kind]);
  const clauses = ((): Clause[] => {
    switch (tokens[0]?.tokenType) {
      case t.Base:
        // Behind the braces a base has ended.
        return tokens.some((k) => k.tokenType === t.LeftBrace) ? [] : [{ begins: t.From, takes: [] }];
      case t.Param:
        return [{ begins: t.Equal, takes: { role: 'layers' }, required: true }];
      case t.Data:
        return [{ begins: t.Equal, takes: formatProposals, required: true }];
      case t.Adapter:
        return [
          { begins: t.On, takes: of('base') },
          { begins: t.Extends, takes: of('adapter') },
        ];
      case t.Recipe:
        return [{ begins: t.For, takes: of('adapter'), required: true }];
      case t.Sweep:
        return [
          { begins: t.Over, takes: of('adapter'), required: true },
          { begins: t.With, takes: of('recipe'), required: true },
        ];
      default:
        return [];
    }
  })();
  return { tokens, head: 2, clauses, next: declarations };
}

/** An item of an adapter, as far as it is written. */
export function itemStatement(tokens: readonly IToken[], draft: Draft): Statement {
  const { names, members } = draft;
  const clauses = ((): Clause[] => {
    const [head, name] = tokens;
    switch (head?.tokenType) {
      case t.Group:
        return [{ begins: t.Equal, takes: { role: 'members' }, required: true }];
      case t.Task:
        return [
          { begins: t.On, takes: namedProposals(names.globals.data), required: true },
          { begins: t.Trains, takes: { role: 'members' }, required: true },
        ];
      case t.Expert:
        return [];
      case t.Drop:
      case t.Override: {
        const inherited: Clause = {
          begins: head.tokenType,
          takes: membersOf(draft, ['part', 'group', 'task', 'expert']),
        };
        const changed = members.get(name?.image ?? '')?.node;
        if (head.tokenType === t.Drop || name === undefined) return [inherited];
        if (changed?.kind === 'group') return [inherited, { begins: t.Equal, takes: { role: 'members' } }];
        if (changed?.kind === 'task') return [inherited, { begins: t.Trains, takes: { role: 'members' } }];
        return changed?.kind === 'part'
          ? [inherited, ...partClauses(kindOf(changed.type.text) ?? null, draft)]
          : [inherited];
      }
      default:
        return partClauses(kindOf(head?.image ?? '') ?? null, draft);
    }
  })();
  return { tokens, head: 2, clauses, next: items };
}

function partClauses(kind: Kind | null, draft: Draft): Clause[] {
  const sources = [...draft.members.values()].filter(
    ({ node }) => node.kind === 'part' && kind?.reads?.kinds.includes(node.type.text) !== false,
  );
  const place: Clause = { begins: t.On, takes: { role: 'place', kind }, required: kind !== null };
  const source: Clause = {
    begins: t.From,
    takes: namedProposals(new Map(sources.map((m) => [m.name.text, m]))),
    required: kind?.reads?.required === true,
  };
  return [
    ...(kind?.selects === 'nothing' ? [] : [place]),
    ...(kind !== null && kind.reads === undefined ? [] : [source]),
  ];
}
