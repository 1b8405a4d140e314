/** Groups: expressions over parts, their members and other groups, as sets of parameter names. */
import type { Expression, GroupItem, Path } from '../../grammar/ast.ts';
import { lastWord, type Parameter } from '../model/model.ts';
import { namesByOwner } from '../lower/parameters.ts';
import type { BaseEnv } from './env.ts';
import type { FlatAdapter } from './flatten.ts';
import { groupCycle, notAGroup, unknownGroupMember, unknownMember } from './diagnostics/groups.ts';
import { MAX_DEPTH, tooLarge } from './diagnostics/params.ts';
import type { CheckedPart } from './checked.ts';

export interface Members {
  /** Parameters of an expression; null when something in it was reported. `depth` is that of its item. */
  readonly of: (e: Expression, depth: number) => ReadonlySet<string> | null;
  /** The name in an expression that brought a parameter in: `writing`, `words`, `base`. */
  readonly mention: (e: Expression, depth: number, parameter: string) => Path | null;
  readonly groups: ReadonlyMap<string, ReadonlySet<string>>;
}

type Names = ReadonlySet<string>;
type GroupLine = GroupItem & { readonly depth: number };

/** What names in a group expression can mean, and the groups worked out so far. */
interface Known {
  readonly env: BaseEnv;
  readonly flat: FlatAdapter;
  readonly base: Names;
  readonly parts: ReadonlyMap<string, Names>;
  readonly lines: ReadonlyMap<string, GroupLine>;
  /** Null for a group with a mistake in it. */
  readonly done: Map<string, Names | null>;
  /** Groups being worked out, from the outside in. */
  readonly open: string[];
}

/** Prepares the groups of one adapter; every group is worked out, so that its mistakes show even if nobody uses it. */
export function checkGroups(
  env: BaseEnv,
  flat: FlatAdapter,
  parts: readonly CheckedPart[],
  parameters: readonly Parameter[],
): Members {
  const owned = namesByOwner(parameters);
  const known: Known = {
    env,
    flat,
    base: new Set(owned.get('base')),
    // What a part adds and what it unfreezes.
    parts: new Map(
      parts.map(({ part, kind }) => [
        part.name,
        new Set([...(owned.get(part.name) ?? []), ...(kind.unfreezes?.(part, env.base) ?? [])]),
      ]),
    ),
    lines: new Map(flat.items.filter((i): i is GroupLine => i.kind === 'group').map((g) => [g.name.text, g])),
    done: new Map(),
    open: [],
  };
  for (const name of known.lines.keys()) groupNamed(known, env, name);
  return {
    of: (e, depth) => evaluate(known, env, e, depth),
    mention: (e, depth, parameter) => mention(known, e, depth, parameter),
    groups: new Map([...known.done].flatMap(([name, set]) => (set === null ? [] : [[name, set] as const]))),
  };
}

function groupNamed(known: Known, env: BaseEnv, name: string): Names | null {
  const { done, open, lines } = known;
  const before = done.get(name);
  if (before !== undefined) return before;
  const line = lines.get(name);
  if (line === undefined) return null;
  if (open.includes(name)) {
    env.report(groupCycle(line, open));
    return null;
  }
  if (open.length >= MAX_DEPTH) env.report(tooLarge(line.name, 'group'));
  open.push(name);
  const members = open.length > MAX_DEPTH ? null : evaluate(known, known.env, line.value, line.depth);
  open.pop();
  done.set(name, members);
  return members;
}

function evaluate(known: Known, env: BaseEnv, e: Expression, depth: number): Names | null {
  if (e.kind === 'path') return named(known, env, e, depth);
  if (e.kind === 'missing') return null;
  if (e.kind !== 'binary') {
    env.report(notAGroup(e));
    return null;
  }
  const left = evaluate(known, env, e.left, depth);
  const right = evaluate(known, env, e.right, depth);
  if (left === null || right === null) return null;
  if (e.operator === '+') return new Set([...left, ...right]);
  return new Set([...left].filter((name) => right.has(name) === (e.operator === '&')));
}

/** `base`, a part, a member of a part, or a group. */
function named(known: Known, env: BaseEnv, e: Path, depth: number): Names | null {
  const { flat, lines, parts } = known;
  const [head, member] = e.segments;
  const name = head?.kind === 'name' && head.index === null ? head.name : null;
  const part = name === null ? undefined : parts.get(name.text);
  if (
    name === null ||
    e.segments.length > 2 ||
    (member !== undefined && (name.text === 'base' || lines.has(name.text)))
  ) {
    env.report(notAGroup(e));
    return null;
  }
  if (name.text === 'base') return known.base;
  if (part !== undefined) return member === undefined ? part : memberOf(env, e, part);
  const others = flat.items.filter((i) => i.kind === 'part').map((i) => i.name.text);
  // A part that is itself wrong, or was dropped below the place that names it, is nobody's second mistake.
  if (others.includes(name.text)) return null;
  if (lines.has(name.text)) return groupNamed(known, env, name.text);
  if ((flat.dropped.get(name.text) ?? -1) > depth) return new Set();
  env.report(unknownGroupMember(name, ['base', ...others, ...lines.keys()], flat.dropped.has(name.text)));
  return null;
}

function mention(known: Known, e: Expression, depth: number, parameter: string): Path | null {
  const quiet: BaseEnv = { ...known.env, report: () => undefined };
  if (e.kind === 'path') return named(known, quiet, e, depth)?.has(parameter) === true ? e : null;
  if (e.kind !== 'binary') return null;
  return mention(known, e.left, depth, parameter) ?? mention(known, e.right, depth, parameter);
}

/** `words.gate`: the parameters of a part whose last word is that. */
function memberOf(env: BaseEnv, e: Path, part: ReadonlySet<string>): ReadonlySet<string> | null {
  if (part.size === 0) return part;
  const segment = e.segments[1];
  const word = segment?.kind === 'name' && segment.index === null ? segment.name : null;
  const members = [...part].filter((name) => word !== null && lastWord(name) === word.text);
  if (members.length > 0) return new Set(members);
  env.report(unknownMember(e, [...new Set([...part].map(lastWord))]));
  return null;
}
