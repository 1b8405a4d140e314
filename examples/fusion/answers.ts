/** A candidate as score.ts asks it: greedy answers and losses, with pictures or without. */
import { showsImages } from '../../compiler/compile/tasks.ts';
import { makeDecoder } from '../../runtime/generate.ts';
import { answerAll, lossOfRows } from '../../runtime/score.ts';
import { readParameter } from '../../runtime/session.ts';
import { ANSWER, type Candidate } from './candidate.ts';
import type { Answerer } from './score.ts';

/** The model in its state of now. */
export function answererOf(candidate: Candidate): Answerer {
  const { session, trainer, model } = candidate;
  const { tokenizer } = candidate.materials;
  const [shown, plain] = [makeDecoder(session, { image: true }), makeDecoder(session)];
  const taskWith = (image: boolean): string => {
    const found = [...candidate.batches.keys()].find((task) => showsImages(model, task) === image);
    if (found) return found;
    throw new Error(`${model.name} has no task ${image ? 'with' : 'without'} images`);
  };
  return {
    answer: (prompts, images) =>
      images
        ? answerAll(shown, tokenizer, prompts, ANSWER, (start, count) =>
            patches(candidate, images.slice(start, start + count), count),
          )
        : answerAll(plain, tokenizer, prompts, ANSWER),
    lossOf: (rows, images) =>
      images
        ? lossOfRows(trainer, taskWith(true), rows, (start, count) =>
            imagesFor(candidate, images.slice(start, start + count), count),
          )
        : lossOfRows(trainer, taskWith(false), rows),
    async gatesOf(prompt) {
      const gates = session.manifest.parameters.filter(
        ({ name, owner }) => owner === prompt && name.endsWith('.gate'),
      );
      const values: number[] = [];
      for (const gate of gates) values.push(...(await readParameter(session, gate)));
      return values.length === 0 ? null : values;
    },
  };
}

/** What programs that run the encoder are given; rows that are left over see the first picture. */
function patches({ materials }: Candidate, images: readonly string[], count: number): Float32Array {
  const { store, numberOf } = materials;
  const all = new Float32Array(count * store.size);
  for (let i = 0; i < count; i++)
    store.write(numberOf(images[i] ?? images[0] ?? ''), all.subarray(i * store.size, (i + 1) * store.size));
  return all;
}

/** The same as tokens of the encoder, where programs take those. */
function imagesFor(candidate: Candidate, images: readonly string[], count: number): Float32Array {
  const { encoded, numberOf } = candidate.materials;
  if (!candidate.encoder || !encoded) return patches(candidate, images, count);
  const rows = Array.from({ length: count }, (_, i) => encoded.get(numberOf(images[i] ?? images[0] ?? '')));
  const each = rows[0]?.length ?? 0;
  const all = new Float32Array(count * each);
  rows.forEach((row, i) => all.set(row, i * each));
  return all;
}
