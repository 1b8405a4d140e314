/** A lab as score.ts asks it: greedy answers and losses, with pictures or without. */
import { showsImages } from '../../compiler/compile/tasks.ts';
import { makeDecoder } from '../../runtime/generate.ts';
import { patchPictures } from '../../runtime/images/prepare.ts';
import { answerAll, lossOfRows } from '../../runtime/score.ts';
import { readParameter } from '../../runtime/session.ts';
import { ANSWER, type Lab } from './lab.ts';
import type { Answerer } from './score.ts';

/** The model in its state of now. */
export function answererOf(lab: Lab): Answerer {
  const { session, trainer, model } = lab;
  const { tokenizer } = lab.workshop;
  const [shown, plain] = [makeDecoder(session, { image: true }), makeDecoder(session)];
  const taskWith = (image: boolean): string => {
    const found = [...lab.batches.keys()].find((task) => showsImages(model, task) === image);
    if (found) return found;
    throw new Error(`${model.name} has no task ${image ? 'with' : 'without'} images`);
  };
  return {
    answer: (prompts, images) =>
      images
        ? answerAll(shown, tokenizer, prompts, ANSWER, (start, count) =>
            patches(lab, images.slice(start, start + count), count),
          )
        : answerAll(plain, tokenizer, prompts, ANSWER),
    lossOf: (rows, images) =>
      images
        ? lossOfRows(trainer, taskWith(true), rows, (start, count) =>
            imagesFor(lab, images.slice(start, start + count), count),
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
function patches({ workshop }: Lab, images: readonly string[], count: number): Float32Array {
  const { store, numberOf } = workshop;
  const pictures = Array.from({ length: count }, (_, i) => store.get(numberOf(images[i] ?? images[0] ?? '')));
  return patchPictures(pictures, store.rules);
}

/** The same as tokens of the encoder, where programs take those. */
function imagesFor(lab: Lab, images: readonly string[], count: number): Float32Array {
  const { encoded, numberOf } = lab.workshop;
  if (!lab.cached || !encoded) return patches(lab, images, count);
  const rows = Array.from({ length: count }, (_, i) => encoded.get(numberOf(images[i] ?? images[0] ?? '')));
  const each = rows[0]?.length ?? 0;
  const all = new Float32Array(count * each);
  rows.forEach((row, i) => all.set(row, i * each));
  return all;
}
