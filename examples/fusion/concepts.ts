/**
 * What the pictures show: concepts that are drawn in all four styles and whose names are words of the base's data.
 *
 * The list is committed as `data/concepts.json` and comes out the same again.
 */
import { readFileSync } from 'node:fs';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { hash } from '../base/random.ts';
import { heldOutWords, type Word } from '../base/words.ts';
import { iconNames, styles } from './icons.ts';

/**
 * `asked`: captioned, and questions about its pictures are trained on. `named`: captioned only, so that a right answer
 * to a question puts together what was learned apart. `unseen`: in no training picture at all.
 */
export const roles = ['asked', 'named', 'unseen'] as const;
export type Role = (typeof roles)[number];

export interface Concept {
  /** Its English name, and that of its icons. */
  readonly name: string;
  readonly plural: string;
  readonly article: 'a' | 'an';
  readonly role: Role;
}

/** How many of each role. Nine in ninety are held out altogether. */
export const roleCounts: Readonly<Record<Role, number>> = { asked: 66, named: 15, unseen: 9 };
const total = roles.reduce((sum, role) => sum + roleCounts[role], 0);

/** Longest name, in letters and in tokens. All names are single words: those are what the instructions are about. */
const letters = 12;
const pieces = 4;

/** Icons that do not show what one would call by their name: a bug is a caterpillar, a guard any soldier. */
const unfit = new Set(['bug', 'guard', 'rosette', 'stadium', 'station']);

/**
 * Chooses the concepts. A word that is held out of the text instructions is no concept, since captions would show it
 * in training; the rest must have a plural and an article that the instructions know.
 */
export function chooseConcepts(words: readonly Word[], tokenizer: Tokenizer): Concept[] {
  const held = heldOutWords(words).forms;
  const icons = styles.map(iconNames);
  const found = words.flatMap(({ word, plural, article }) => {
    const fits =
      /^[a-z]+$/.test(word) && word.length <= letters && !unfit.has(word) && icons.every((i) => i.has(word));
    if (!fits || !plural || !article || held.has(word) || held.has(plural.form)) return [];
    const length = tokenizer.encode(` ${word}`).length;
    return length <= pieces ? [{ name: word, plural: plural.form, article, length }] : [];
  });
  // The shortest names first, since a caption costs what its tokens cost; by hash among equals.
  const kept = found.sort((a, b) => a.length - b.length || hash(a.name) - hash(b.name)).slice(0, total);
  if (kept.length < total) throw new Error(`only ${kept.length} concepts fit, ${total} are wanted`);
  const order = [...kept].sort((a, b) => hash(`role ${a.name}`) - hash(`role ${b.name}`));
  const roleOf = new Map(order.map(({ name }, i) => [name, roleAt(i)]));
  return kept
    .map(({ name, plural, article }) => ({ name, plural, article, role: roleOf.get(name) ?? 'asked' }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The first places are unseen, the next named, the rest asked. */
function roleAt(place: number): Role {
  if (place < roleCounts.unseen) return 'unseen';
  return place < roleCounts.unseen + roleCounts.named ? 'named' : 'asked';
}

export const conceptsFile = new URL('data/concepts.json', import.meta.url);
/** The committed list. */
export const loadConcepts = (): Concept[] => JSON.parse(readFileSync(conceptsFile, 'utf8')) as Concept[];

/** A line a concept, so that a change is easy to see. */
export function toManifest(concepts: readonly Concept[]): string {
  const lines = concepts.map((concept) => {
    const fields = Object.entries(concept).map(
      ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
    );
    return `  { ${fields.join(', ')} }`;
  });
  return `[\n${lines.join(',\n')}\n]\n`;
}

export const withRole = (concepts: readonly Concept[], ...wanted: readonly Role[]): Concept[] =>
  concepts.filter(({ role }) => wanted.includes(role));
