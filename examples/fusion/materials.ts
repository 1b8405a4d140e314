/**
 * What all trials share, read once: the pictures, the data of each task as tokens, and the exam. Only the order of the
 * examples depends on a trial's seed.
 */
import { readFileSync } from 'node:fs';
import type { Model } from '../../compiler/model/model.ts';
import type { ImageStore } from '../../runtime/data/image-store.ts';
import { nodeHost } from '../../runtime/hosts/node.ts';
import type { EncodedPictures } from '../../runtime/project/encoded-images.ts';
import { storeFor } from '../../runtime/project/image-input.ts';
import { type DataCache, emptyCache, sourceNamed } from '../../runtime/project/task-data.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';
import { loadTokenizer } from '../base/tokens.ts';
import { readInstructions } from './build.ts';
import type { Pair, Pictured } from './lists.ts';
import { cacheFolder } from './draw.ts';
import type { Exam } from './score.ts';

export interface Materials {
  readonly tokenizer: Tokenizer;
  readonly store: ImageStore;
  readonly exam: Exam;
  /** Number in the store of a picture that the exam shows. */
  readonly numberOf: (image: string) => number;
  /** What tasks read: tasks that say the same about the same data share it, whichever adapter they belong to. */
  readonly data: DataCache;
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
export async function openMaterials(model: Model): Promise<Materials> {
  const data = emptyCache();
  const store = storeOf(model, data);
  const tokenizer = loadTokenizer();
  const exam = readExam();
  const shown = Object.values(exam).flatMap((items: readonly object[]) =>
    items.flatMap((item) => ('image' in item && typeof item.image === 'string' ? [item.image] : [])),
  );
  const images = [...new Set(shown)];
  const added = await store.addAll(images.map((image) => cacheFolder + image));
  const numbers = new Map(images.map((image, i) => [image, added[i]]));
  return {
    tokenizer,
    store,
    data,
    exam,
    numberOf(image) {
      const number = numbers.get(image);
      if (typeof number === 'number') return number;
      throw new Error(`${image} cannot be read`, { cause: number });
    },
    encoded: null,
  };
}

/** The store of the model's pictures, which its tasks will find among `data`. */
function storeOf(model: Model, { stores }: DataCache): ImageStore {
  for (const task of model.tasks) {
    const shown = storeFor({ host: nodeHost, model }, task, stores, sourceNamed(model, task.data), 0);
    if (shown) return shown.store;
  }
  throw new Error(`no task of ${model.name} shows pictures`);
}
