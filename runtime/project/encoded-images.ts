/** Tokens of a frozen encoder, computed once for each picture instead of in every step. */
import { padded } from '../../compiler/model/model.ts';
import type { ImageInput } from '../../compiler/package/package.ts';
import { outputNamed, programFor, type Session } from '../session.ts';
import { writeImages } from '../train/batch.ts';
import type { Dataset } from '../data/load.ts';
import type { ImageStore } from '../data/image-store.ts';
import { type ImagesOf, picturesOf } from '../data/image-batches.ts';

/** Bytes of the tokens that an encoder makes of one image. */
export const tokenBytes = ({ tokens }: ImageInput): number => 4 * tokens.rows * padded(tokens.axis);

/** Tokens of every picture of a store, by its number. */
export interface EncodedPictures {
  readonly bytes: number;
  get(number: number): Float32Array;
}

/** Runs `encode:PART` over all pictures of a store, a batch at a time. */
export async function encodePictures(
  session: Session,
  input: ImageInput,
  store: ImageStore,
): Promise<EncodedPictures> {
  const program = programFor(session, { kind: 'encode', part: input.part });
  const output = outputNamed(program, 'tokens');
  const each = tokenBytes(input) / 4;
  const encoded: Float32Array[] = [];
  for (let start = 0; start < store.count; start += program.batch) {
    const count = Math.min(program.batch, store.count - start);
    // The last batch may have empty rows; rows do not see each other.
    const image = new Float32Array(program.batch * store.size);
    for (let i = 0; i < count; i++)
      store.write(start + i, image.subarray(i * store.size, (i + 1) * store.size));
    writeImages(session, program, image);
    const [tokens = new Float32Array()] = await session.executor.runAndRead([program.name], [output]);
    for (let i = 0; i < count; i++) encoded.push(tokens.slice(i * each, (i + 1) * each));
  }
  return {
    bytes: encoded.length * each * 4,
    get: (number) => encoded[number] ?? new Float32Array(each),
  };
}

/** The encoder's tokens of the examples' pictures, for programs compiled with `frozenEncoders: 'cached'`. */
export const tokensOf =
  (dataset: Dataset, encoded: EncodedPictures): ImagesOf =>
  (examples) => {
    const rows = picturesOf(dataset, examples).map((number) => encoded.get(number));
    const each = rows[0]?.length ?? 0;
    const all = new Float32Array(rows.length * each);
    rows.forEach((row, i) => all.set(row, i * each));
    return all;
  };
