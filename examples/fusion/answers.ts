/** A lab as score.ts asks it: greedy answers and losses, with pictures or without. */
import { showsImages } from '../../compiler/compile.ts';
import { IGNORE } from '../../runtime/data/encode.ts';
import { capacity, generate, makeDecoder, showImages } from '../../runtime/generate.ts';
import { patchPictures } from '../../runtime/images/prepare.ts';
import { argmax } from '../../runtime/sample.ts';
import { answerAll, lossOfRows, type Row } from '../../runtime/score.ts';
import { programNamed, readParameter } from '../../runtime/session.ts';
import type { Batch } from '../../runtime/train/batch.ts';
import { evaluate } from '../../runtime/train/trainer.ts';
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
    async answer(prompts, images) {
      if (!images) return answerAll(plain, tokenizer, prompts, ANSWER);
      const answers: string[] = [];
      const { batch } = capacity(shown);
      for (let start = 0; start < prompts.length; start += batch) {
        showImages(shown, patches(lab, images.slice(start, start + batch), batch));
        const ids = prompts
          .slice(start, start + batch)
          .map((prompt) => tokenizer.encode(prompt, { bos: tokenizer.bos !== null }));
        const made = await generate(shown, ids, { maxTokens: ANSWER, eos: tokenizer.eos, pick: argmax });
        answers.push(...made.map((answer) => tokenizer.decode(answer)));
      }
      return answers;
    },
    lossOf: (rows, images) =>
      images ? lossWithImages(lab, taskWith(true), rows, images) : lossOfRows(trainer, taskWith(false), rows),
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

/** As `lossOfRows`, each row with its picture. */
async function lossWithImages(
  lab: Lab,
  task: string,
  rows: readonly Row[],
  images: readonly string[],
): Promise<number> {
  const { batch, tokens } = programNamed(lab.session, `loss:${task}`);
  let [total, count] = [0, 0];
  for (let start = 0; start < rows.length; start += batch) {
    const made = batchOf(rows.slice(start, start + batch), batch, tokens);
    const image = imagesFor(lab, images.slice(start, start + batch), batch);
    total += (await evaluate(lab.trainer, task, { ...made, image })) * made.labelled;
    count += made.labelled;
  }
  return total / count;
}

function batchOf(rows: readonly Row[], batch: number, length: number): Omit<Batch, 'image'> {
  const tokens = new Uint32Array(batch * length);
  const labels = new Uint32Array(batch * length).fill(IGNORE);
  let labelled = 0;
  rows.forEach((row, b) => {
    if (row.tokens.length > length)
      throw new Error(`a row of ${row.tokens.length} tokens, at most ${length}`);
    for (let t = 0; t < row.tokens.length; t++) {
      tokens[b * length + t] = row.tokens[t] ?? 0;
      if (t + 1 < row.from || t + 1 >= row.tokens.length) continue;
      labels[b * length + t] = row.tokens[t + 1] ?? 0;
      labelled++;
    }
  });
  return { tokens, labels, labelled };
}
