/** Arguments that every command on a spec takes: `SPEC[:ADAPTER]`, `--set NAME=VALUE`, `--base FILE.adapter:NAME`. */
import { styleText } from 'node:util';
import { checkSpec, type CheckOptions, type Checked } from '../../compiler/check/check.ts';
import type { Base } from '../../compiler/model/model.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { plain, renderDiagnostic, type Painter } from '../../grammar/render.ts';
import { UsageError } from './command.ts';
import { nodeSpecs } from '../hosts/node-specs.ts';
import { splitSpec } from '../project/spec-name.ts';

/** The options of `util.parseArgs` for these arguments. */
export const specOptions = {
  set: { type: 'string', multiple: true },
  base: { type: 'string' },
} as const;

/** The options of commands that read trained parameters. */
export const adapterOptions = {
  adapter: { type: 'string' },
  'allow-changes': { type: 'boolean', default: false },
} as const;

/** The lines of `specOptions` in a usage text. */
export const specUsage = [
  '  --set NAME=VALUE         give a param of the spec another value; may be repeated',
  '  --base FILE.adapter:NAME stand every adapter on another base; also the folder of a model, or its name in the cache',
].join('\n');

/** Values of `--set` as the checker takes them. */
export function readSettings(pairs: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--set takes NAME=VALUE, not '${pair}'`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** The base that `--base` names: one that a spec declares, or a model as `base NAME from "MODEL"` takes it. */
function readBaseOption(argument: string): Base {
  const { path } = splitSpec(argument);
  return path.endsWith('.adapter') ? declaredBase(argument) : readModelOption(argument);
}

/** The base that `FILE.adapter[:NAME]` declares. @throws UsageError when there is no such base */
export function declaredBase(argument: string): Base {
  const { path, name } = splitSpec(argument);
  const checked = checkSpec(path, nodeSpecs);
  if (!checked.found) throw new UsageError(`cannot read ${path}`);
  const names = Object.keys(checked.bases);
  const base =
    name === undefined && names.length === 1 ? checked.bases[names[0] ?? ''] : checked.bases[name ?? ''];
  if (base === undefined)
    throw new UsageError(`--base takes FILE.adapter:NAME; ${path} declares ${names.join(', ') || 'no base'}`);
  return base;
}

/** What the one line is called in which a model stands that the command line names. */
const COMMAND_LINE = '--base';

function readModelOption(model: string): Base {
  const text = `base model from ${JSON.stringify(model)}`;
  const readFile = (path: string) => (path === COMMAND_LINE ? text : nodeSpecs.readFile(path));
  const { bases, diagnostics } = checkSpec(COMMAND_LINE, { ...nodeSpecs, readFile });
  const { model: base } = bases;
  if (base !== undefined) return base;
  const said = diagnostics.map(({ message }) => message).join('; ');
  throw new UsageError(
    `--base takes FILE.adapter:NAME, the folder of a model, or a model that \`graft pull\` brought: ${said}`,
  );
}

/** Values of `specOptions`. */
interface SpecValues {
  readonly set?: string[] | undefined;
  readonly base?: string | undefined;
}

/** The options of the command line as the checker takes them. */
export function checkOptions({ set, base }: SpecValues): CheckOptions {
  return { params: readSettings(set), ...(base === undefined ? {} : { base: readBaseOption(base) }) };
}

/** Checks the spec an argument names, with the options of the command line. */
export const checkArgument = (path: string, options: SpecValues): Checked =>
  checkSpec(path, nodeSpecs, checkOptions(options));

const painted: Painter = {
  severity: (text, severity) => styleText(['bold', severity === 'error' ? 'red' : 'yellow'], text),
  strong: (text) => styleText('bold', text),
  faint: (text) => styleText('blue', text),
};

/** Whether a stream wants colour: a terminal, unless NO_COLOR says otherwise. */
const painterFor = (stream: { readonly isTTY?: boolean }): Painter =>
  stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' ? painted : plain;

/** Nobody reads more; whoever checks a file that is no spec at all has thousands. */
const MAX_SHOWN = 100;

/** Prints diagnostics, errors first when there are too many of them, and a last line that counts them. */
export function printDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
): void {
  const paint = painterFor(process.stderr);
  const rest = diagnostics.length - MAX_SHOWN;
  const ofSeverity = (severity: string): Diagnostic[] => diagnostics.filter((d) => d.severity === severity);
  const ordered = rest > 0 ? [...ofSeverity('error'), ...ofSeverity('warning')] : diagnostics;
  for (const d of ordered.slice(0, MAX_SHOWN)) console.error(`${renderDiagnostic(d, sources, paint)}\n`);
  if (rest > 0) console.error(`... and ${rest} more\n`);
  const said = (n: number, noun: string): string[] => (n === 0 ? [] : [`${n} ${noun}${n === 1 ? '' : 's'}`]);
  const total = [
    ...said(ofSeverity('error').length, 'error'),
    ...said(ofSeverity('warning').length, 'warning'),
  ];
  if (total.length > 0) console.error(total.join(', '));
}
