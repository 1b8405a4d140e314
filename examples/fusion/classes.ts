/**
 * What the encoder learns to tell apart: every icon that the three trained styles share, a thousand classes, so that it
 * has to look at what a thing is and not at which of three drawings it is.
 *
 * The language has no classifier, and needs none: a class is named by one token of the base's vocabulary, and a decoder
 * of one layer that says this token is a classifier over what the encoder gives.
 */
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { shuffle } from '../base/random.ts';
import { type Concept, withRole } from './concepts.ts';
import { heldStyle, iconNames, type Style, trainedStyles } from './icons.ts';
import type { Pair } from './lists.ts';
import { copies as pictureCopies, picturePath, type Wanted } from './draw.ts';

/** Changed pictures of each drawing. */
export const classCopies = 12;

/** Names of one word. Longer ones are mostly variants of a drawing: another skin, another hand of a clock. */
const oneWord = /^[a-z]+$/;

/** Names of all classes: never one of the unseen concepts. */
export function chooseClasses(concepts: readonly Concept[]): string[] {
  const unseen = new Set(withRole(concepts, 'unseen').map(({ name }) => name));
  const [first, ...others] = trainedStyles.map(iconNames);
  return [...(first ?? [])]
    .filter((name) => others.every((set) => set.has(name)) && oneWord.test(name) && !unseen.has(name))
    .sort();
}

/** One token for each class. @throws Error when the vocabulary has too few that stand for themselves */
export function classTokens(classes: readonly string[], tokenizer: Tokenizer): Map<string, string> {
  const words: string[] = [];
  for (let id = 0; id < tokenizer.vocabSize && words.length < classes.length; id++) {
    const text = tokenizer.decode([id]);
    const again = tokenizer.encode(text);
    if (text !== '' && again.length === 1 && again[0] === id) words.push(text);
  }
  if (words.length < classes.length)
    throw new Error(`${classes.length} classes, but only ${words.length} tokens can name one`);
  return new Map(classes.map((name, i) => [name, words[i] ?? '']));
}

/** The pictures of the classes that the experiment does not draw by itself. */
export const wantedClasses = (classes: readonly string[], concepts: readonly Concept[]): Wanted[] => {
  const drawn = new Set(concepts.map(({ name }) => name));
  const others = classes.filter((name) => !drawn.has(name));
  return others.flatMap((name) => trainedStyles.map((style) => ({ name, style, copies: classCopies })));
};

type ClassList =
  'classes.train.jsonl' | 'classes.concepts.jsonl' | 'classes.trained.jsonl' | 'classes.heldstyle.jsonl';

/** Lists of pictures and classes: all to train on; those of concepts; the concepts' drawings as they are, and those of the held-out style. */
export function classLists(
  classes: readonly string[],
  concepts: readonly Concept[],
  tokenizer: Tokenizer,
): Readonly<Record<ClassList, Pair[]>> {
  const tokens = classTokens(classes, tokenizer);
  const pair = (name: string, style: Style, copy = 0): Pair => ({
    image: picturePath(style, name, copy),
    caption: tokens.get(name) ?? '',
    style,
  });
  const copies = Array.from({ length: classCopies }, (_, i) => i + 1);
  const shown = withRole(concepts, 'asked', 'named').map(({ name }) => name);
  return {
    'classes.train.jsonl': shuffle(
      classes.flatMap((name) => trainedStyles.flatMap((style) => copies.map((n) => pair(name, style, n)))),
      45,
    ),
    'classes.concepts.jsonl': shuffle(
      shown.flatMap((name) =>
        trainedStyles.flatMap((style) =>
          Array.from({ length: pictureCopies }, (_, i) => pair(name, style, i + 1)),
        ),
      ),
      46,
    ),
    'classes.trained.jsonl': shown.flatMap((name) => trainedStyles.map((style) => pair(name, style))),
    'classes.heldstyle.jsonl': shown.map((name) => pair(name, heldStyle)),
  };
}
