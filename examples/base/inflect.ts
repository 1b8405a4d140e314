/**
 * Regular plurals and past tenses by rule, and which words the rule is safe for.
 *
 * A rule that is wrong now and then would be a wrong right answer, so each function gives null where English is not
 * predictable from spelling: the word is then left out of the task instead of guessed at.
 */

/**
 * The regular plural. Sibilants take -es, a consonant before -y makes -ies, all else takes -s.
 * Null for -f, -fe and consonant + -o (leaf, roof; hero, piano), -man (woman, human), -th (bath, tooth), a single -z
 * (quiz), compounds of irregular nouns (grandchild), and single -s, where a plural may stand already (bus, trousers).
 */
export function regularPlural(noun: string): string | null {
  if (/(?:[^f]f|fe|[^aeiou]o|man|[^z]z|[^s]s|th|child|foot|goose|mouse|louse)$/.test(noun)) return null;
  // -ch is said as k after these, and then takes -s alone.
  if (/(?:arch|och|mach|ech)$/.test(noun)) return null;
  if (/(?:ss|sh|ch|x|zz)$/.test(noun)) return `${noun}es`;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return `${noun}s`;
}

/** Endings of the irregular plurals kept: a family has several members, so an unseen word can be worked out. */
const pluralFamilies: readonly (readonly [string, string])[] = [
  ['man', 'men'],
  ['foot', 'feet'],
  ['tooth', 'teeth'],
  ['goose', 'geese'],
  ['mouse', 'mice'],
  ['child', 'children'],
  ['fe', 'ves'],
  ['f', 'ves'],
  ['o', 'oes'],
  ['z', 'zzes'],
  ['us', 'i'],
  ['um', 'a'],
  ['on', 'a'],
  ['is', 'es'],
  ['ex', 'ices'],
  ['ix', 'ices'],
  ['eau', 'eaux'],
  ['a', 'ae'],
  ['a', 'ata'],
];

/** Whether an irregular plural belongs to a family; the list also has one of a kind and a few slips. */
export const inFamily = (noun: string, plural: string): boolean =>
  pluralFamilies.some(
    ([from, to]) => noun.endsWith(from) && noun.slice(0, noun.length - from.length) + to === plural,
  );

const prefixes = 're un out over under fore mis with be up inter pre for off a de in by'.split(' ');

/** Whether a verb is irregular, by itself or behind a prefix: go, undergo. */
const isIrregular = (verb: string, irregular: ReadonlySet<string>): boolean =>
  irregular.has(verb) ||
  prefixes.some((prefix) => verb.startsWith(prefix) && irregular.has(verb.slice(prefix.length)));

/**
 * The regular past tense: -e takes -d, a consonant before -y makes -ied, -c takes -ked, and verbs in `doubled` as
 * well as those of one syllable with one vowel and one consonant at the end double it; all else takes -ed.
 * Null for irregular verbs, with or without a prefix, and for longer verbs that end in one vowel and one consonant
 * but are not in `doubled`: spelling does not say which syllable is stressed.
 */
export function regularPast(
  verb: string,
  irregular: ReadonlySet<string>,
  doubled: ReadonlySet<string>,
): string | null {
  if (isIrregular(verb, irregular)) return null;
  if (verb.endsWith('e')) return `${verb}d`;
  if (/[^aeiou]y$/.test(verb)) return `${verb.slice(0, -1)}ied`;
  if (/[aeiou]c$/.test(verb)) return `${verb}ked`;
  const last = verb.slice(-1);
  if (/^[^aeiou]*(?:qu)?[aeiou][bdfgklmnprtvz]$/.test(verb) || doubled.has(verb)) return `${verb}${last}ed`;
  if (/[^aeiou][aeiou][bdfgklmnprstz]$/.test(verb)) return null;
  return `${verb}ed`;
}
