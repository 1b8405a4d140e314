/**
 * What all trials share, read once: the pictures, the data of each task as tokens, and the exam. Only the order of the
 * examples depends on a trial's seed.
 */
import { readFileSync } from 'node:fs';
import { imageInputs } from '../../compiler/kinds/images.ts';
import type { Model, Task } from '../../compiler/model/model.ts';
import { loadTaskData } from '../../runtime/project/open.ts';
import type { Dataset } from '../../runtime/data/load.ts';
import type { EncodedPictures } from '../../runtime/project/encoded-images.ts';
import { openPictures } from '../../runtime/hosts/node-pictures.ts';
import type { PictureStore } from '../../runtime/data/picture-store.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { loadTokenizer } from '../base/tokens.ts';
import { readInstructions } from './build.ts';
import type { Pair, Pictured } from './lists.ts';
import { cacheFolder } from './pictures.ts';
import type { Exam } from './score.ts';

export interface Workshop {
  readonly tokenizer: Tokenizer;
  readonly store: PictureStore;
  readonly exam: Exam;
  /** Number in the store of a picture that the exam shows. */
  readonly numberOf: (image: string) => number;
  readonly dataOf: (model: Model, task: Task) => Promise<Dataset>;
  /** The frozen encoder's tokens of every picture; made by the first trial, since all have the same encoder. */
  encoded: EncodedPictures | null;
}

function readList<T>(name: string): T[] {
  const lines = readFileSync(cacheFolder + name, 'utf8').split('\n');
  return lines.filter(Boolean).map((line) => JSON.parse(line) as T);
}

function readExam(): Exam {
  return {
    instructions: readInstructions('heldout'),
    pictured: readList<Pictured>('instructions.pictured.heldout.jsonl'),
    blank: readList<Pictured>('instructions.blank.heldout.jsonl'),
    questionsTrained: readList<Pictured>('questions.trained.jsonl'),
    questionsHeld: readList<Pictured>('questions.heldconcepts.jsonl'),
    trained: readList<Pair>('pairs.trained.jsonl'),
    heldStyle: readList<Pair>('pairs.heldstyle.jsonl'),
    heldConcepts: readList<Pair>('pairs.heldconcepts.jsonl'),
  };
}

/** Reads the exam and its pictures. `model` is any of the trials': they all look at pictures of one size. */
export async function openWorkshop(model: Model): Promise<Workshop> {
  const [input] = imageInputs(model);
  if (!input?.pixels) throw new Error(`${model.name} looks at no pictures`);
  const store = openPictures(input.pixels);
  const tokenizer = loadTokenizer();
  const exam = readExam();
  const shown = Object.values(exam).flatMap((items: readonly object[]) =>
    items.flatMap((item) => ('image' in item && typeof item.image === 'string' ? [item.image] : [])),
  );
  const images = [...new Set(shown)];
  const added = await store.addAll(images.map((image) => cacheFolder + image));
  const numbers = new Map(images.map((image, i) => [image, added[i]]));
  const datasets = new Map<string, Dataset>();
  return {
    tokenizer,
    store,
    exam,
    numberOf(image) {
      const number = numbers.get(image);
      if (typeof number === 'number') return number;
      throw new Error(`${image} cannot be read`, { cause: number });
    },
    async dataOf(model, task) {
      // Tasks that say the same about the same data read it the same way, whichever adapter they belong to.
      const key = JSON.stringify([model.base.name, task.data, task.fields]);
      const known = datasets.get(key) ?? (await loadTaskData(model, task, tokenizer, store));
      datasets.set(key, known);
      return known;
    },
    encoded: null,
  };
}
