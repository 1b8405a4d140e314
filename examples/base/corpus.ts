/**
 * The pre-training text: WordNet's glosses and examples, State of the Union addresses, Moby-Dick, as paragraphs of
 * plain ASCII. It is the same on every machine: all chance is seeded.
 */
import { shuffle } from './random.ts';
import { readAddresses, readChapters, readSynsets, type Synset } from './sources.ts';

/** Share of paragraphs held out. */
const heldOutShare = 0.02;
const seed = 1;
/** Paragraphs are cut between sentences once they are this long, in characters. */
const paragraphLength = 480;

const replaced: readonly (readonly [RegExp, string])[] = [
  [/[\u2018\u2019]/g, "'"],
  [/[\u201c\u201d]/g, '"'],
  [/[\u2010\u2011]/g, '-'],
  [/[\u2013\u2014]/g, ' -- '],
  [/\u0152/g, 'Oe'],
];

/**
 * Printable ASCII with single spaces: the vocabulary is small, so a curly quote or an accent should not cost part of
 * it. Letters lose their accents; what has no plain spelling is dropped.
 */
export function normalize(text: string): string {
  let plain = text;
  for (const [pattern, by] of replaced) plain = plain.replace(pattern, by);
  return plain
    .normalize('NFKD')
    .replace(/\s+/g, ' ')
    .replace(/[^ -~]/g, '')
    .replace(/ {2,}/g, ' ')
    .trim();
}

const capitalize = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
const stopped = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** `dog, domestic dog: a member of the genus Canis. The dog barked all night.` */
export function dictionaryLine({ words, gloss, examples }: Synset): string {
  const sentences = examples
    .slice(0, 3)
    .filter((it) => it !== '')
    .map((it) => stopped(capitalize(it)));
  return normalize([`${words.join(', ')}: ${stopped(gloss)}`, ...sentences].join(' '));
}

/** Paragraphs of whole sentences, from text with or without paragraphs of its own. */
export function* paragraphs(text: string): Generator<string> {
  for (const block of text.split(/\n\s*\n/)) {
    let paragraph = '';
    for (const sentence of normalize(block).split(/(?<=[.!?]"?) (?=["A-Z])/)) {
      paragraph = paragraph === '' ? sentence : `${paragraph} ${sentence}`;
      if (paragraph.length < paragraphLength) continue;
      yield paragraph;
      paragraph = '';
    }
    if (paragraph !== '') yield paragraph;
  }
}

export interface Corpus {
  readonly train: readonly string[];
  readonly heldout: readonly string[];
}

/** All paragraphs, shuffled and split. Paragraphs that come twice are kept once, so none is on both sides. */
export function buildCorpus(): Corpus {
  const all = new Set<string>();
  for (const synset of readSynsets()) all.add(dictionaryLine(synset));
  for (const text of [...readAddresses(), ...readChapters()])
    for (const paragraph of paragraphs(text)) all.add(paragraph);
  all.delete('');
  const shuffled = shuffle([...all], seed);
  const held = Math.floor(shuffled.length * heldOutShare);
  return { heldout: shuffled.slice(0, held), train: shuffled.slice(held) };
}
