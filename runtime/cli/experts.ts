/** Experts on the command line of `generate`: who may run, what is given by hand, and what is told of them. */
import { resolve } from 'node:path';
import type { Model } from '../../compiler/model/model.ts';
import { askExperts, givenAnswer } from '../experts/ask.ts';
import type { Answer, Sight } from '../experts/expert.ts';
import { openExpert, type Permission, permissions } from '../experts/node.ts';
import { readBytes } from '../files.ts';
import { nodeHost } from '../hosts/node.ts';
import { decodePicture } from '../images/node.ts';
import { PictureError } from '../images/picture.ts';
import { InputError } from '../input-error.ts';
import { openCaptioner } from '../project/captioner.ts';
import { nearest } from '../../grammar/suggest.ts';
import { UsageError } from './command.ts';

/** The options of `util.parseArgs` about experts. */
export const expertOptions = {
  'no-experts': { type: 'boolean', default: false },
  expert: { type: 'string', multiple: true },
  allow: { type: 'string', multiple: true },
} as const;

/** Their lines in a usage text. */
export const expertUsage = `  --no-experts     ask none of the spec's experts about the image
  --expert NAME=TEXT
                   an expert's text by hand, with an image or without: that expert is not asked
  --allow WHAT     what experts may use: http, command, or both as http,command. A spec alone may use neither`;

export interface ExpertSettings {
  /** Whether experts are asked; texts by hand hold in any case. */
  readonly ask: boolean;
  readonly given: ReadonlyMap<string, string>;
  readonly allow: ReadonlySet<Permission>;
}

/** Reads the options. @throws UsageError for an expert the spec does not have, or a permission there is not */
export function readExpertSettings(
  model: Model,
  values: {
    readonly 'no-experts': boolean;
    readonly expert?: string[] | undefined;
    readonly allow?: string[] | undefined;
  },
): ExpertSettings {
  const names = model.experts.map(({ name }) => name);
  const given = (values.expert ?? []).map((pair): [string, string] => {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    if (at < 1) throw new UsageError(`--expert takes NAME=TEXT, not '${pair}'`);
    if (names.includes(name)) return [name, pair.slice(at + 1)];
    const near = nearest(name, names);
    const known = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
    throw new UsageError(
      `\`${model.name}\` has no expert '${name}'; ${near === undefined ? known : `did you mean '${near}'?`}`,
    );
  });
  const allow = (values.allow ?? [])
    .flatMap((list) => list.split(','))
    .map((word) => {
      const permission = permissions.find((p) => p === word.trim());
      if (permission) return permission;
      throw new UsageError(`--allow takes ${permissions.join(' or ')}, not '${word}'`);
    });
  return { ask: !values['no-experts'], given: new Map(given), allow: new Set(allow) };
}

/**
 * What the experts say of each image; of no image, what was given by hand. Answers stand in the order of the spec.
 * @throws InputError for a file that is no picture
 */
export async function consultExperts(
  model: Model,
  images: readonly string[],
  { ask, given, allow }: ExpertSettings,
): Promise<Answer[][]> {
  const byHand = model.experts.flatMap(({ name, length }) => {
    const text = given.get(name);
    return text === undefined ? [] : [givenAnswer(name, text, length)];
  });
  const asked = ask ? model.experts.filter(({ name }) => !given.has(name)) : [];
  if (images.length === 0 || asked.length === 0)
    return images.length === 0 ? [byHand] : images.map(() => byHand);
  const sights = await Promise.all(images.map(openSight));
  const experts = asked.map((expert) =>
    openExpert(expert, { allow, openCaptioner: openCaptioner(nodeHost) }),
  );
  const rows = await askExperts(experts, sights);
  const order = model.experts.map(({ name }) => name);
  return rows.map((row) => [...row, ...byHand].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)));
}

/** Decoded here, so that a file that is no picture is told as such, and not by each expert in turn. */
async function openSight(path: string): Promise<Sight> {
  const bytes = await readBytes(path);
  const picture = await decodePicture(bytes).catch((cause: unknown) => {
    if (!(cause instanceof PictureError)) throw cause;
    throw new InputError(`${path}: ${cause.message}`, 'give a PNG, JPEG or WebP file', { cause });
  });
  return { bytes, path: resolve(path), picture: () => Promise.resolve(picture) };
}

/** What is to be told of an answer; null: nothing, unless everything is to be told. */
export function describeAnswer(answer: Answer, all: boolean): string | null {
  const { name, outcome, text, note, confidence, seconds } = answer;
  const silent = text === '' && outcome !== 'given';
  if (silent) return `expert ${name} is left out: ${note}`;
  if (!all) return note === '' ? null : `expert ${name}: its text is ${note}`;
  const facts = [
    ...(outcome === 'given' ? ['by hand'] : [`${seconds.toFixed(1)} s`]),
    ...(confidence === null ? [] : [`confidence ${confidence.toFixed(2)}`]),
    ...(note === '' ? [] : [note]),
  ];
  return `expert ${name}: ${JSON.stringify(text)} (${facts.join(', ')})`;
}
