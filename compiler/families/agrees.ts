/** Whether a base as a spec writes it is the network that its folder's config.json describes. */
import type { Base } from '../model/model.ts';
import type { Config } from './config-reader.ts';
import { readConfig } from './config.ts';
import { familyOf } from './index.ts';
import { otherAttributes } from './print-base.ts';
import { printRope, rotaryOf } from './rotary.ts';

/**
 * What the base says otherwise than the config, a line each; empty where they agree. Not compared: the context, which a
 * spec may shorten, and a head that the base takes to be the embedding, of which the tensors tell.
 */
export function contradictions(base: Base, config: Config): string[] {
  const { base: stated, problems } = readConfig(config);
  const lines = problems.map(({ message }) => `it ${message}`);
  if (stated === null) return lines;
  const differs = (attribute: string, ours: unknown, theirs: unknown): void => {
    if (ours !== theirs)
      lines.push(`\`${attribute}\` is ${String(theirs)} there, ${String(ours)} in the base`);
  };
  for (const [attribute, key] of sizes) differs(attribute, base[key], stated[key]);
  // Files may hold an epsilon as a float32 prints: 9.999999747378752e-06.
  if (Math.abs(base.normEps / stated.normEps - 1) > 1e-6) differs('norm_eps', base.normEps, stated.normEps);
  // The order of rows is the spec's own choice.
  const rope = (of: Pick<Base, 'rope'>): string => printRope({ ...of.rope, style: 'half' });
  if (!turnAlike(base, stated)) differs('rope', rope(base), rope(stated));
  const [ours, theirs] = [otherAttributes(base), otherAttributes(stated)];
  for (const attribute of new Set([...Object.keys(theirs), ...Object.keys(ours)]))
    differs(attribute, ours[attribute] ?? 'none', theirs[attribute] ?? 'none');
  // transformers then leaves a head in the file unread.
  if (stated.tied && !base.tied) differs('tied', base.tied, stated.tied);
  if (placesOf(base) !== placesOf(stated)) differs('family', base.family, stated.family);
  return lines;
}

/**
 * Whether two bases turn by the same angles, however they say so: a GGUF file keeps Llama 3's scaling as one factor a
 * frequency, in float32.
 */
function turnAlike(base: Turned, other: Turned): boolean {
  return LENGTHS.every((length) => alikeAt(length, base, other));
}

/** Tokens of a short sequence and of one so long that every scaling which follows the length has stretched its angles. */
const LENGTHS = [0, 2 ** 20];

/** Whether they do in sequences of `length` tokens. */
function alikeAt(length: number, base: Turned, other: Turned): boolean {
  const [a, b] = [rotaryOf(base, length), rotaryOf(other, length)];
  const near = (x: number, y: number): boolean => Math.abs(x / y - 1) < 1e-6;
  return (
    base.rope.windowTheta === other.rope.windowTheta &&
    a.frequencies.length === b.frequencies.length &&
    near(a.factor, b.factor) &&
    a.frequencies.every((frequency, j) => near(frequency, b.frequencies[j] ?? NaN))
  );
}

type Turned = Pick<Base, 'headDim' | 'rope'>;

const sizes = [
  ['layers', 'layers'],
  ['dim', 'dim'],
  ['heads', 'heads'],
  ['kv_heads', 'kvHeads'],
  ['head_dim', 'headDim'],
  ['ffn', 'ffn'],
  ['vocab', 'vocab'],
] as const satisfies readonly (readonly [string, keyof Base])[];

/** A family's network in a word: two families with the same places compute the same. */
const placesOf = (of: Pick<Base, 'family'>): string => {
  const { layer, before, after } = familyOf(of);
  return JSON.stringify([before, layer, after]);
};
