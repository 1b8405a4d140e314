/** How many numbers a model has, and whom they belong to: the figures behind `graft show` and the papers' tables. */
import { kindOfPart } from '../kinds/index.ts';
import type { Model, Parameter } from '../model/model.ts';

/** Numbers in a parameter, as files have it. */
export const sizeOf = (parameter: Parameter): number =>
  parameter.shape.reduce((product, n) => product * n, 1);

export const sumOf = (parameters: readonly Parameter[]): number =>
  parameters.reduce((sum, p) => sum + sizeOf(p), 0);

/** One part's parameters: those it adds, or the base's that it makes trainable. */
export interface PartCount {
  readonly part: string;
  readonly kind: string;
  readonly parameters: number;
  readonly numbers: number;
  /** Distinct shapes with how often each occurs, in the order they first occur. */
  readonly shapes: readonly { readonly shape: readonly number[]; readonly count: number }[];
  /** Tasks that train any of it. */
  readonly tasks: readonly string[];
}

/** One group, or what one task trains. */
export interface SetCount {
  readonly name: string;
  readonly parameters: number;
  readonly numbers: number;
}

export interface Counts {
  /** The base's own parameters. */
  readonly base: number;
  readonly parts: readonly PartCount[];
  readonly groups: readonly SetCount[];
  readonly tasks: readonly SetCount[];
  /** What any task trains, each number once. */
  readonly trained: number;
}

/** Counts a model; nothing is allocated, so 65B costs no more than a toy. */
export function countModel(model: Model): Counts {
  const byName = new Map(model.parameters.map((p) => [p.name, p]));
  const pick = (names: Iterable<string>): Parameter[] => [...names].flatMap((name) => byName.get(name) ?? []);
  const set = (name: string, names: Iterable<string>): SetCount => {
    const parameters = pick(names);
    return { name, parameters: parameters.length, numbers: sumOf(parameters) };
  };
  const parts = model.parts.map((part): PartCount => {
    const own = pick(parameterNames(model, part.name));
    const names = new Set(own.map((p) => p.name));
    return {
      part: part.name,
      kind: part.kind,
      parameters: own.length,
      numbers: sumOf(own),
      shapes: shapesOf(own),
      tasks: model.tasks.filter((t) => t.trains.some((name) => names.has(name))).map((t) => t.name),
    };
  });
  return {
    base: sumOf(model.parameters.filter((p) => p.owner === 'base')),
    parts,
    groups: Object.entries(model.groups).map(([name, names]) => set(name, names)),
    tasks: model.tasks.map((t) => set(t.name, t.trains)),
    trained: sumOf(pick(new Set(model.tasks.flatMap((t) => t.trains)))),
  };
}

/** Names of what a part adds; for an `unfreeze`, of what it makes trainable. */
export function parameterNames(model: Model, part: string): string[] {
  const it = model.parts.find((p) => p.name === part);
  const unfrozen = new Set(it && kindOfPart(it).unfreezes?.(it, model.base));
  return model.parameters.filter((p) => p.owner === part || unfrozen.has(p.name)).map((p) => p.name);
}

function shapesOf(parameters: readonly Parameter[]): PartCount['shapes'] {
  const counts = new Map<string, { shape: readonly number[]; count: number }>();
  for (const { shape } of parameters) {
    const key = shape.join('x');
    counts.set(key, { shape, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()];
}
