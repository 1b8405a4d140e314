/** What every check needs at hand: the names in scope and a place to report to. */
import type {
  AdapterDeclaration,
  BaseDeclaration,
  DataDeclaration,
  Expression,
  Name,
  RecipeDeclaration,
  SweepDeclaration,
} from '../../grammar/ast.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import type { Base } from '../model/model.ts';

/** A param and its value, from the spec or from `--set`. */
export interface Param {
  readonly name: Name;
  readonly value: Expression;
}

/** Every declaration of a spec and its imports, by name. */
export interface Scope {
  readonly bases: ReadonlyMap<string, BaseDeclaration>;
  readonly params: ReadonlyMap<string, Param>;
  readonly data: ReadonlyMap<string, DataDeclaration>;
  readonly adapters: ReadonlyMap<string, AdapterDeclaration>;
  readonly recipes: ReadonlyMap<string, RecipeDeclaration>;
  readonly sweeps: ReadonlyMap<string, SweepDeclaration>;
}

/** Takes a diagnostic; what it gives back is of no interest. */
export type Report = (diagnostic: Diagnostic) => unknown;

export interface Env {
  readonly scope: Scope;
  readonly report: Report;
}

/** Where layers and sites mean something. */
export interface BaseEnv extends Env {
  readonly base: Base;
}

/** The env in which a param's value is read: its mistakes also show where the param is used. */
export function inParam<E extends Env>(env: E, use: Name): E {
  const report: Report = (d) =>
    env.report({ ...d, related: [...d.related, { span: use.span, label: 'used here' }] });
  return { ...env, report };
}
