/** One adapter in one piece: parts, prompts, groups, tasks, experts, in this order. */
import type { AdapterDeclaration, ExpertItem, PartItem, TaskItem } from '../../grammar/ast.ts';
import type { Host } from '../host.ts';
import type { Expert } from '../model/expert.ts';
import { testsOf, type Base, type DataSource, type Parameter, type Part, type Task } from '../model/model.ts';
import type { Recipe } from '../model/recipe.ts';
import { namesByOwner, parametersOf } from '../lower/parameters.ts';
import { sitesOf } from '../families/sites.ts';
import type { BaseEnv } from './env.ts';
import { readExpert } from './experts.ts';
import type { FlatAdapter, FlatItem } from './flatten.ts';
import { checkGroups, type Members } from './groups.ts';
import { nothingTrains } from './diagnostics/tasks.ts';
import { meetsWords } from '../kinds/kind.ts';
import type { CheckedPart } from './checked.ts';
import { checkParts } from './parts.ts';
import { checkPrompts } from './prompts.ts';
import { checkTasks, type CheckedTask, isPlaced, sourcesOf } from './tasks.ts';

/** An adapter in which nothing is left to complain about, if nothing was reported. */
export interface CheckedAdapter {
  readonly name: string;
  readonly doc: string;
  readonly base: Base;
  readonly parts: readonly Part[];
  readonly parameters: readonly Parameter[];
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly tasks: readonly Task[];
  readonly data: readonly DataSource[];
  readonly experts: readonly Expert[];
  readonly recipes: readonly Recipe[];
}

type Flat<K extends FlatItem['kind']> = Extract<FlatItem, { kind: K }>;

const itemsOf = <K extends FlatItem['kind']>(flat: FlatAdapter, kind: K): Flat<K>[] =>
  flat.items.filter((i): i is Flat<K> => i.kind === kind);

/** Checks what a flattened adapter holds; recipes are added later, when all adapters are known. */
export function checkAdapter(
  env: BaseEnv,
  declaration: AdapterDeclaration,
  flat: FlatAdapter,
  data: ReadonlyMap<string, DataSource | null>,
  host: Host,
): CheckedAdapter {
  const partItems: PartItem[] = itemsOf(flat, 'part');
  const taskItems: (TaskItem & { depth: number })[] = itemsOf(flat, 'task');
  const expertItems: ExpertItem[] = itemsOf(flat, 'expert');
  const sensible = checkParts(env, partItems, sitesOf(env.base));
  const written = checkPrompts(env, sensible) ?? sensible;
  const parts = withoutNowhere(written);
  const parameters = parametersOf(
    env.base,
    parts.map((p) => p.part),
  );
  const members = checkGroups(env, flat, written, parameters);
  const nowhere = parts.length < written.length;
  const tasks = checkTasks(env, taskItems, { parts, parameters, members, data, nowhere });
  // A task that could not be made sense of may train anything: then nobody knows what stays untrained.
  if (tasks.length === taskItems.length) warnUntrained(env, parts, parameters, tasks);
  const experts = expertItems.flatMap((item) => readExpert(env, item, host) ?? []);
  const used = new Set(tasks.flatMap((t) => [t.task.data, ...testsOf(t.task)]));
  return {
    name: declaration.name.text,
    doc: declaration.doc,
    base: env.base,
    parts: parts.map((p) => p.part),
    parameters,
    groups: inOrder(members, parameters),
    tasks: tasks.map((t) => t.task),
    data: [...data.values()].filter((d): d is DataSource => d !== null && used.has(d.name)),
    experts,
    recipes: [],
  };
}

/**
 * Leaves out prompts of images that sit on no layers (`none`), and the encoders and projectors that only they read: a
 * sweep over the layers of an image may begin with none of them. Groups know their names still, and get nothing of them.
 */
function withoutNowhere(parts: readonly CheckedPart[]): readonly CheckedPart[] {
  const nowhere = parts.filter(
    ({ part, kind }) => meetsWords(kind) && part.source !== null && !isPlaced(part),
  );
  const left = parts.filter((part) => !nowhere.includes(part));
  const sourcesRead = (readers: readonly CheckedPart[]) => sourcesOf(parts, readers);
  const read = sourcesRead(left.filter(({ kind }) => meetsWords(kind)));
  const idle = sourcesRead(nowhere);
  return left.filter(({ part }) => !idle.has(part.name) || read.has(part.name));
}

/** Groups as lists, each in the order of the parameters. */
function inOrder(members: Members, parameters: readonly Parameter[]): CheckedAdapter['groups'] {
  const names = parameters.map((p) => p.name);
  return Object.fromEntries(
    [...members.groups].map(([group, set]) => [group, names.filter((n) => set.has(n))]),
  );
}

function warnUntrained(
  env: BaseEnv,
  parts: readonly CheckedPart[],
  parameters: readonly Parameter[],
  tasks: readonly CheckedTask[],
): void {
  if (tasks.length === 0) return;
  const trained = new Set(tasks.flatMap((t) => t.task.trains));
  const owned = namesByOwner(parameters);
  for (const { part, kind, item } of parts) {
    // An encoder is frozen unless it is named, and so is what comes from a file: the usual case is no oversight.
    if (kind.hooks.image !== undefined || typeof part.fields['weights'] === 'string') continue;
    const own = [...(owned.get(part.name) ?? []), ...(kind.unfreezes?.(part, env.base) ?? [])];
    if (own.length > 0 && !own.some((name) => trained.has(name))) env.report(nothingTrains(item));
  }
}
