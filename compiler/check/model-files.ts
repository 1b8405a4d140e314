/** `base NAME from "MODEL"`: the attributes that the model's config.json says, as if they stood in the base's braces. */
import type { Field, StringLiteral } from '../../grammar/ast.ts';
import { parse } from '../../grammar/parser.ts';
import { configOf, type Config, type ConfigProblem } from '../families/config-reader.ts';
import { readConfig } from '../families/config.ts';
import { baseLines } from '../families/print-base.ts';
import type { Host } from '../host.ts';
import type { Env, Report } from './env.ts';
import { modelNotFound, modelRefused } from './diagnostics/models.ts';

/** What a model's folder says of a base. */
export interface ModelFiles {
  /** Path of the folder, which holds the weights and the tokenizer too. */
  readonly folder: string;
  /** Path of the config.json that was read; null where there is none and the braces say all that has to be said. */
  readonly config: string | null;
  /** Attributes of the base. Their spans lie in a text that is nowhere: `reportAt` leads back to the spec. */
  readonly fields: readonly Field[];
}

/**
 * Reads the config.json of the model that a base names: a folder beside the spec, or else a name that the host knows.
 * Null after reporting why there is none, or why the network is another than can be computed.
 * @param complete whether the braces have every attribute that a base cannot do without
 */
export function readModelFiles(
  env: Env,
  from: StringLiteral,
  complete: boolean,
  host: Host,
): ModelFiles | null {
  const beside = trimmed(host.resolve(from.span.file, from.value));
  const found = configIn(beside, host) ?? configIn(host.model?.(from.value) ?? null, host);
  if (found === null) {
    env.report(modelNotFound(from, beside, complete));
    return complete ? { folder: beside, config: null, fields: [] } : null;
  }
  const { folder, config, text } = found;
  const json = parseConfig(text);
  if (json === null) {
    env.report(modelRefused(from, config, NO_JSON));
    return null;
  }
  const { base, problems } = readConfig(json);
  for (const problem of problems) env.report(modelRefused(from, config, problem));
  if (base === null || problems.length > 0) return null;
  const { file } = parse({
    file: `base of ${config}`,
    text: `base stated {\n${baseLines(base).join('\n')}\n}`,
  });
  const [stated] = file.declarations;
  return { folder, config, fields: stated?.kind === 'base' ? stated.fields : [] };
}

/** A report in which what is wrong with a stated attribute is wrong with the model that the base names. */
export const reportAt =
  (report: Report, { span }: StringLiteral): Report =>
  (d) =>
    report(d.span.file === span.file ? d : { ...d, span });

interface Found {
  readonly folder: string;
  readonly config: string;
  readonly text: string;
}

function configIn(folder: string | null, host: Host): Found | null {
  if (folder === null) return null;
  const config = `${folder}/config.json`;
  const text = host.readFile(config);
  return text === null ? null : { folder, config, text };
}

/** A folder's path without the slash behind it. */
const trimmed = (path: string): string => path.replace(/(?<=.)[\\/]+$/, '');

const NO_JSON: ConfigProblem = {
  key: '',
  message: 'is not valid JSON',
  remedy: 'get the file again: it is damaged or not whole',
  fatal: true,
};

/** The contents of a config.json, null where it is no JSON. */
function parseConfig(text: string): Config | null {
  try {
    return configOf(JSON.parse(text));
  } catch {
    return null;
  }
}
