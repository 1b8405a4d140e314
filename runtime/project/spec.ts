/** From the path of a spec to its model: read, checked and lowered. */
import { checkSpec, type Checked, type CheckOptions } from '../../compiler/check/check.ts';
import { lowerModel } from '../../compiler/lower/lower.ts';
import type { Base, Model } from '../../compiler/model/model.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import { nearest } from '../../grammar/suggest.ts';
import { sha256 } from '../hash.ts';
import { InputError } from '../input-error.ts';
import type { ProjectHost, SpecHost } from './host.ts';
import { splitSpec } from './spec-name.ts';

/** A model and the world in which its files lie. */
export interface HostedModel {
  readonly host: ProjectHost;
  readonly model: Model;
}

/** An adapter of a spec that checked clean, lowered, in the world in which its files lie. */
export interface Project extends HostedModel {
  /** What `Manifest.spec` holds: every file the spec is made of, and their hash with the values of its params. */
  readonly spec: { readonly hash: string; readonly text: string };
}

export interface SpecOptions {
  /** Values of the spec's params instead of those that are written, as texts of the language. */
  readonly params?: Readonly<Record<string, string>>;
  /** The base of every adapter instead of the one that is written. */
  readonly base?: Base;
}

/**
 * Opens `SPEC` or `SPEC:ADAPTER`; the spec's warnings go to the host.
 * @throws InputError with every diagnostic when the spec has errors, or when it has no such adapter
 */
export async function openProject(
  host: ProjectHost,
  argument: string,
  options: SpecOptions = {},
): Promise<Project> {
  const { checked, model } = readModel(host, argument, options);
  return { host, model, spec: await specOf(checked, options) };
}

/** The model of `SPEC` or `SPEC:ADAPTER` alone. @throws InputError as `openProject` does */
export const loadModel = (host: SpecHost, argument: string, options: SpecOptions = {}): Model =>
  readModel(host, argument, options).model;

function readModel(
  host: SpecHost,
  argument: string,
  options: SpecOptions,
): { readonly checked: Checked; readonly model: Model } {
  const { path, name: adapter } = splitSpec(argument);
  const checked = loadChecked(host, path, options);
  const names = Object.keys(checked.adapters);
  if (names.length === 0)
    throw new InputError(`${path} declares no adapter`, 'write `adapter NAME on BASE { ... }`');
  if (adapter !== undefined && !names.includes(adapter))
    throw new InputError(`${path} has no adapter \`${adapter}\``, suggest(adapter, names));
  return { checked, model: lowerModel(checked, adapter) };
}

/**
 * A spec without errors; its warnings go to the host.
 * @throws InputError with every diagnostic when it has errors
 */
export function loadChecked(host: SpecHost, path: string, options: CheckOptions = {}): Checked {
  const checked = checkSpec(path, host.specs, options);
  if (!checked.found) throw new InputError(`cannot read ${path}`, 'check the path of the spec');
  const shown = checked.diagnostics.map((d) => renderDiagnostic(d, checked.sources));
  const errors = checked.diagnostics.filter((d) => d.severity === 'error').length;
  if (errors > 0)
    throw new InputError(
      `${shown.join('\n\n')}\n\n${path} has ${errors} error${errors === 1 ? '' : 's'}`,
      '`graft explain CODE` says more of each',
    );
  shown.forEach(host.warn);
  return checked;
}

/** What the files of a run carry of a checked spec. The hash knows no paths: a spec may move with what it reads. */
export async function specOf(checked: Checked, { params = {} }: SpecOptions): Promise<Project['spec']> {
  const text = [...checked.sources.values()].join('\n');
  // Of a base that is read from a model's files the text has the path alone.
  const read = Object.values(checked.bases).filter(({ config }) => config !== undefined);
  const numbers = read.map(({ config: _config, weights: _weights, tokenizer: _tokenizer, ...base }) => base);
  const stated = numbers.length === 0 ? [] : [JSON.stringify(numbers)];
  return { hash: await sha256([text, JSON.stringify(params), ...stated]), text };
}

/** What to say where a name is not among those there are. */
export function suggest(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  return near ? `did you mean \`${near}\`?` : `it has ${names.join(', ')}`;
}
