/** Groups: expressions over parts, their members and other groups, as sets of parameter names. */
import type { Expression, GroupItem, Path } from '../../grammar/ast.ts';
import type { Parameter } from '../model/model.ts';
import type { BaseEnv } from './env.ts';
import type { FlatAdapter } from './flatten.ts';
import { groupCycle, notAGroup, unknownMember } from './messages/groups.ts';
import { unknownGroupMember } from './messages/names.ts';
import type { CheckedPart } from './parts.ts';

export interface Members {
  /** Parameters of an expression; null when something in it was reported. `depth` is that of its item. */
  readonly of: (e: Expression, depth: number) => ReadonlySet<string> | null;
  /** The name in an expression that brought a parameter in: `writing`, `words`, `base`. */
  readonly mention: (e: Expression, depth: number, parameter: string) => Path | null;
  readonly groups: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Prepares the groups of one adapter; every group is worked out, so that its mistakes show even if nobody uses it. */
export function checkGroups(
  env: BaseEnv,
  flat: FlatAdapter,
  parts: readonly CheckedPart[],
  parameters: readonly Parameter[],
): Members {
  const ofPart = new Map(
    parts.map(({ part, kind }) => [
      part.name,
      namesOfPart(parameters, part.name, kind.unfreezes?.(part, env.base) ?? []),
    ]),
  );
  const items = new Map(
    flat.items
      .filter((i): i is GroupItem & { depth: number } => i.kind === 'group')
      .map((g) => [g.name.text, g]),
  );
  const others = flat.items.filter((i) => i.kind === 'part').map((i) => i.name.text);
  const done = new Map<string, ReadonlySet<string> | null>();
  const open: string[] = [];
  const quiet = { ...env, report: () => undefined };

  const group = (name: string, from: BaseEnv): ReadonlySet<string> | null => {
    const known = done.get(name);
    if (known !== undefined) return known;
    const item = items.get(name);
    if (item === undefined) return null;
    if (open.includes(name)) {
      from.report(groupCycle(item.name, open));
      return null;
    }
    open.push(name);
    const members = evaluate(env, item.value, item.depth);
    open.pop();
    done.set(name, members);
    return members;
  };

  const leaf = (from: BaseEnv, e: Path, depth: number): ReadonlySet<string> | null => {
    const [head, member] = e.segments;
    const name = head?.kind === 'name' && head.index === null ? head.name : null;
    if (name === null || e.segments.length > 2) {
      from.report(notAGroup(e));
      return null;
    }
    if (name.text === 'base') return new Set(parameters.filter((p) => p.owner === 'base').map((p) => p.name));
    const part = ofPart.get(name.text);
    if (part !== undefined) return member === undefined ? part : memberOf(from, e, part);
    // A part that is itself wrong, or was dropped below the place that names it, is nobody's second mistake.
    if (others.includes(name.text)) return null;
    if (items.has(name.text))
      return member === undefined ? group(name.text, from) : (from.report(notAGroup(e)), null);
    if ((flat.dropped.get(name.text) ?? -1) > depth) return new Set();
    from.report(unknownGroupMember(name, ['base', ...others, ...items.keys()], flat.dropped.has(name.text)));
    return null;
  };

  const evaluate = (from: BaseEnv, e: Expression, depth: number): ReadonlySet<string> | null => {
    if (e.kind === 'path') return leaf(from, e, depth);
    if (e.kind === 'missing') return null;
    if (e.kind !== 'binary') {
      from.report(notAGroup(e));
      return null;
    }
    const left = evaluate(from, e.left, depth);
    const right = evaluate(from, e.right, depth);
    if (left === null || right === null) return null;
    if (e.operator === '+') return new Set([...left, ...right]);
    return new Set([...left].filter((name) => right.has(name) === (e.operator === '&')));
  };

  const mention = (e: Expression, depth: number, parameter: string): Path | null => {
    if (e.kind === 'path') return leaf(quiet, e, depth)?.has(parameter) === true ? e : null;
    return e.kind === 'binary'
      ? (mention(e.left, depth, parameter) ?? mention(e.right, depth, parameter))
      : null;
  };

  for (const name of items.keys()) group(name, env);
  const groups = new Map([...done].flatMap(([name, set]) => (set === null ? [] : [[name, set] as const])));
  return { of: (e, depth) => evaluate(env, e, depth), mention, groups };
}

/** What a part adds and what it unfreezes. */
function namesOfPart(
  parameters: readonly Parameter[],
  part: string,
  unfrozen: readonly string[],
): ReadonlySet<string> {
  return new Set([...parameters.filter((p) => p.owner === part).map((p) => p.name), ...unfrozen]);
}

/** `words.gate`: the parameters of a part whose last word is that. */
function memberOf(env: BaseEnv, e: Path, part: ReadonlySet<string>): ReadonlySet<string> | null {
  if (part.size === 0) return part;
  const segment = e.segments[1];
  const word = segment?.kind === 'name' && segment.index === null ? segment.name : null;
  const last = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
  const members = [...part].filter((name) => word !== null && last(name) === word.text);
  if (members.length > 0) return new Set(members);
  env.report(unknownMember(e, [...new Set([...part].map(last))]));
  return null;
}
