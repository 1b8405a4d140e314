/**
 * The instruction data: six tasks with one right answer each, and `define`, which is open.
 *
 * The same words are held out of every task, by a hash of the word, so a held-out answer was never seen in any form.
 */
import { inFamily, regularPast, regularPlural } from './inflect.ts';
import { hash, shuffle } from './random.ts';
import {
  readAn,
  readDoubled,
  readLemmas,
  readPlurals,
  readSynsets,
  readVerbs,
  type Lemma,
} from './sources.ts';

/** Tasks with one right answer that holds for unseen words: scored by exact match, and averaged. */
export const scoredTasks = [
  'plural',
  'plural_irregular',
  'past',
  'article',
  'first_letter',
  'repeat',
] as const;
/**
 * Tasks reported beside the mean. An unseen irregular verb can hardly be worked out from others, and a definition has
 * no one right answer: it is scored by its loss.
 */
export const sideTasks = ['past_irregular', 'define'] as const;
export type TaskName = (typeof scoredTasks)[number] | (typeof sideTasks)[number];

/** What the model sees before the answer, and its end-of-sequence token after it. */
export const template = '### {instruction}###';
/** Longest example in tokens, from begin to end: a batch is as wide as its longest row, so outliers cost everyone. */
export const longest = 20;

/** One line of the JSONL files. */
export interface Instruction {
  readonly instruction: string;
  /** Begins with a space, so that its first word is spelled with the same tokens as inside the instruction. */
  readonly output: string;
  readonly task: TaskName;
}

/** What is known of one word: the answers of all tasks that it takes part in. */
export interface Word {
  readonly word: string;
  readonly plural?: { readonly form: string; readonly irregular: boolean };
  readonly past?: { readonly form: string; readonly irregular: boolean };
  readonly article?: 'a' | 'an';
  readonly gloss?: string;
}

/** Words of the instructions themselves; they are no one's subject. */
const reserved = new Set(['plural', 'past', 'first', 'letter', 'repeat', 'define']);

/** Nouns one counts, by WordNet's topics: animal, artifact, body, group, object, person, plant, shape, time. */
const countable = new Set([5, 6, 8, 14, 17, 18, 20, 25, 28]);
/** Nouns without a plural of their own, and plurals that do not look like one. */
const uncountable = new Set(
  'people police cattle deer sheep fish moose salmon trout carp squid shrimp swine bison elk offspring aircraft spacecraft hovercraft equipment furniture clothing luggage baggage machinery hair folk kinfolk livestock poultry vermin youth wheat corn grass rice cotton linen silk wool mankind womankind humanity personnel staff public aids'.split(
    ' ',
  ),
);

/** What WordNet says of words that insult people. */
const insult = /ethnic slur|(?:offensive|obscene|disparaging|derogatory) (?:term|name|word)/;

/** One word in ten is held out, of whatever kind. */
const drawn = (word: string): boolean => hash(word) % 10 === 0;

/** All words of all tasks, by letter: words met in WordNet's tagged text, and irregular ones whether met or not. */
export function collectWords(): Word[] {
  const glosses = new Map<string, { words: ReadonlySet<string>; gloss: string }>();
  const unfit = new Set(reserved);
  for (const { id, words, gloss } of readSynsets()) {
    glosses.set(id, { words: new Set(words), gloss });
    // In any of its senses: what is lost by it (bull, queen) is not missed.
    if (insult.test(gloss)) for (const word of words) unfit.add(word);
  }
  // The sense index has no capitals: a word is a name unless its synset spells it small.
  const lemmas = readLemmas().filter(
    ({ word, sense }) => glosses.get(sense)?.words.has(word) && !unfit.has(word),
  );
  const nouns = new Set(lemmas.filter((lemma) => lemma.speech === 'noun').map((lemma) => lemma.word));
  const plurals = irregularPlurals(nouns);
  const pasts = irregularPasts();
  const facts = answers(plurals, pasts);

  const found = new Map<string, Word>();
  // By count, so that a word's gloss is that of its commonest use.
  for (const lemma of lemmas.sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1))) {
    if (lemma.count === 0 && !plurals.has(lemma.word) && !pasts.has(lemma.word)) continue;
    const gloss = shortGloss(glosses.get(lemma.sense)!.gloss);
    found.set(lemma.word, {
      word: lemma.word,
      ...(gloss ? { gloss } : {}),
      ...facts(lemma),
      ...found.get(lemma.word),
    });
  }
  return [...found.values()].sort((a, b) => (a.word < b.word ? -1 : 1));
}

/** Whether a past tense is the verb, its last letter again, and -ed. */
const isDoubled = (verb: string, past: string): boolean => past === `${verb}${verb.slice(-1)}ed`;

/** What one lemma adds to its word. */
function answers(
  plurals: ReadonlyMap<string, string>,
  pasts: ReadonlyMap<string, string>,
): (lemma: Lemma) => Partial<Word> {
  const verbs = Object.entries(readVerbs());
  const irregularVerbs = new Set(
    verbs.filter(([verb, [first]]) => !isDoubled(verb, first![0])).map(([verb]) => verb),
  );
  const doubled = new Set([
    ...readDoubled(),
    ...verbs.filter(([verb, [first]]) => isDoubled(verb, first![0])).map(([verb]) => verb),
  ]);
  const an = readAn();
  return ({ word, speech, topic }) => {
    if (speech === 'verb') {
      const irregular = pasts.get(word);
      const form = irregular ?? regularPast(word, irregularVerbs, doubled);
      return form ? { past: { form, irregular: irregular !== undefined } } : {};
    }
    if (speech === 'adv') return {};
    const article = articleOf(word, an);
    const common = article ? { article } : {};
    if (speech === 'adj') return common;
    const irregular = plurals.get(word);
    const form = irregular ?? (countable.has(topic) && !uncountable.has(word) ? regularPlural(word) : null);
    return form ? { ...common, plural: { form, irregular: irregular !== undefined } } : common;
  };
}

/**
 * `an` for what the list has, `a` for what it has not and begins with a consonant or with "you". The list is not
 * complete, so another word with a vowel in front is left out; so are h (an hour, a house) and slips of the list.
 */
export function articleOf(word: string, an: ReadonlySet<string>): 'a' | 'an' | null {
  if (/^(?:hour|heir|honest|honor)$/.test(word)) return 'an';
  if (/^h|s$/.test(word)) return null;
  const vowel = /^[aeiou]/.test(word);
  if (an.has(word)) return vowel ? 'an' : null;
  return !vowel || /^(?:uni[a-lo-z]|eu|ewe|us[aeu]|ut[ei]|ur[ai]n)/.test(word) ? 'a' : null;
}

/** Irregular plurals of WordNet's nouns in a family, where the list and the rule differ. */
function irregularPlurals(nouns: ReadonlySet<string>): Map<string, string> {
  const kept = Object.entries(readPlurals()).filter(
    ([noun, plural]) =>
      nouns.has(noun) && plural.length <= 12 && inFamily(noun, plural) && plural !== regularPlural(noun),
  );
  return new Map(kept);
}

/**
 * The first past tense listed of each irregular verb, where it is not the infinitive again (put, read). The list
 * also has verbs that only double a consonant (stopped): by our rule those are regular.
 */
function irregularPasts(): Map<string, string> {
  const all = Object.entries(readVerbs()).map(([verb, forms]) => [verb, forms[0]![0]] as const);
  return new Map(
    all.filter(([verb, past]) => /^[a-z]{3,10}$/.test(past) && !past.startsWith(verb) && verb !== 'be'),
  );
}

/** The gloss up to its first semicolon, without asides, if it is short and plain. */
function shortGloss(gloss: string): string | null {
  const text = gloss
    .replace(/\([^)]*\)\s*/g, '')
    .split(';')[0]!
    .trim();
  return /^[a-z][a-z ,'-]{7,35}$/.test(text) ? text : null;
}

/** The held-out words, and the same with their plurals and pasts, which may not be shown in training either. */
export function heldOutWords(words: readonly Word[]): { words: Set<string>; forms: Set<string> } {
  const held = words.filter(({ word }) => drawn(word));
  const forms = held.flatMap(({ word, plural, past }) => [word, plural?.form ?? word, past?.form ?? word]);
  return { words: new Set(held.map(({ word }) => word)), forms: new Set(forms) };
}

/** Whether a text has one of these words in it. */
export const mentions = (text: string, words: ReadonlySet<string>): boolean =>
  (text.toLowerCase().match(/[a-z]+/g) ?? []).some((word) => words.has(word));

const make = (instruction: string, answer: string, task: TaskName): Instruction => ({
  instruction,
  output: ` ${answer}`,
  task,
});

/** All instructions about one word. */
function instructionsOf({ word, plural, past, article, gloss }: Word): Instruction[] {
  return [
    ...(plural
      ? [make(`plural of ${word}`, plural.form, plural.irregular ? 'plural_irregular' : 'plural')]
      : []),
    ...(past ? [make(`past of ${word}`, past.form, past.irregular ? 'past_irregular' : 'past')] : []),
    ...(article ? [make(`a or an ${word}`, `${article} ${word}`, 'article')] : []),
    make(`first letter of ${word}`, word[0]!, 'first_letter'),
    make(`repeat ${word}`, word, 'repeat'),
    ...(gloss ? [make(`define ${word}`, gloss, 'define')] : []),
  ];
}

/** Most examples of each task, training and held-out. */
const most: Readonly<Record<TaskName, readonly [number, number]>> = {
  plural: [2400, 120],
  plural_irregular: [1200, 120],
  past: [2000, 120],
  past_irregular: [400, 60],
  article: [2000, 120],
  first_letter: [1800, 120],
  repeat: [1800, 120],
  define: [1000, 120],
};

/** The two files' lines, in the order they are written. `tokensOf` counts an example's tokens, begin to end. */
export function buildInstructions(
  words: readonly Word[],
  tokensOf: (item: Instruction) => number,
): { train: Instruction[]; heldout: Instruction[] } {
  const held = heldOutWords(words);
  const split: [Instruction[], Instruction[]] = [[], []];
  for (const task of Object.keys(most) as TaskName[]) {
    for (const side of [0, 1] as const) {
      const pool = words.filter(({ word }) => held.words.has(word) === (side === 1));
      // In training nothing of a held-out word may be seen, not even in another word's answer.
      const all = shuffle(
        pool.flatMap(instructionsOf).filter((it) => it.task === task),
        11,
      );
      const short = all.filter((it) => tokensOf(it) <= longest);
      const clean =
        side === 1 ? short : short.filter((it) => !mentions(`${it.instruction} ${it.output}`, held.forms));
      split[side].push(...(task === 'article' ? balance(clean) : clean).slice(0, most[task][side]));
    }
  }
  return { train: shuffle(split[0], 12), heldout: shuffle(split[1], 13) };
}

/** `a` and `an` in turns: always saying the commoner one must not pay. */
function balance(items: readonly Instruction[]): Instruction[] {
  const an = items.filter((it) => it.output.startsWith(' an '));
  const a = items.filter((it) => it.output.startsWith(' a '));
  return Array.from({ length: Math.min(a.length, an.length) }, (_, i) => [a[i]!, an[i]!]).flat();
}

export const toJsonl = (items: readonly Instruction[]): string =>
  items.map((it) => `${JSON.stringify(it)}\n`).join('');

/** Examples of each task. */
export function countTasks(items: readonly Instruction[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { task } of items) counts[task] = (counts[task] ?? 0) + 1;
  return counts;
}
