/** Finds objects by an ONNX model of the user's. Works in Node and in a page; loads onnxruntime-web when it is opened. */
import type { InferenceSession } from 'onnxruntime-web';
import { resize } from '../images/resize.ts';
import type { Picture } from '../images/picture.ts';
import { InputError } from '../input-error.ts';
import { decodeBoxes, describeBoxes } from './boxes.ts';
import type { Reader } from './expert.ts';
import { loadOptional } from './optional.ts';

export interface DetectOptions {
  /** The ONNX file: an image [1, 3, height, width] in, [1, 5 + classes, rows, columns] out, as FastestDet has it. */
  readonly model: Uint8Array;
  /** Its name, for messages. */
  readonly name: string;
  /** Names of the classes. */
  readonly labels: readonly string[];
  /** Objects below are left out, 0 to 1. */
  readonly confidence: number;
}

const FOREIGN = 'detectors other than FastestDet are decoded otherwise: run them by `command`';

/** Opens a detector. @throws InputError when it is no ONNX file, or not one whose output we can decode */
export async function openDetector(options: DetectOptions): Promise<Reader> {
  const { InferenceSession, Tensor, env } = await loadOptional(
    'onnxruntime-web',
    () => import('onnxruntime-web'),
  );
  env.wasm.numThreads = 1;
  env.logLevel = 'error';
  const session = await InferenceSession.create(options.model).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(`${options.name} is no ONNX model that can be run: ${reason}`, 'give another file', {
      cause,
    });
  });
  const [input, output] = [session.inputNames[0] ?? '', session.outputNames[0] ?? ''];
  const [height, width] = inputSize(session, options.name);
  return {
    async read(picture) {
      const image = new Tensor('float32', planes(resize(picture, width, height)), [1, 3, height, width]);
      const result = (await session.run({ [input]: image }))[output];
      const shape = outputShape(result?.dims ?? [], options);
      const data = result?.data;
      if (!(data instanceof Float32Array))
        throw new InputError(`${options.name} gives ${result?.type ?? 'nothing'}, not float32`, FOREIGN);
      return describeBoxes(decodeBoxes(data, shape, options.confidence), options.labels);
    },
    close: () => void session.release(),
  };
}

function inputSize({ inputMetadata }: InferenceSession, name: string): readonly [number, number] {
  const [input] = inputMetadata;
  const shape = input?.isTensor === true ? input.shape : [];
  const [batch, colours, height, width] = shape;
  const fits = shape.length === 4 && (batch === 1 || typeof batch === 'string') && colours === 3;
  if (inputMetadata.length === 1 && fits && typeof height === 'number' && typeof width === 'number')
    return [height, width];
  throw new InputError(
    `${name} takes ${inputMetadata.map((m) => (m.isTensor ? `[${m.shape.join(', ')}]` : m.name)).join(' and ')}, not one image [1, 3, height, width]`,
    FOREIGN,
  );
}

function outputShape(
  dims: readonly number[],
  { name, labels }: DetectOptions,
): readonly [number, number, number] {
  const [batch, channels = 0, rows = 0, columns = 0] = dims;
  if (dims.length !== 4 || batch !== 1 || channels < 6)
    throw new InputError(`${name} gives [${dims.join(', ')}], not [1, 5 + classes, rows, columns]`, FOREIGN);
  if (channels - 5 !== labels.length)
    throw new InputError(
      `${name} knows ${channels - 5} classes, its labels name ${labels.length}`,
      'give the file of labels that belongs to it',
    );
  return [channels, rows, columns];
}

/** Blue, green and red one after the other, from 0 to 1: what OpenCV reads, and FastestDet was trained on. */
function planes({ width, height, rgb }: Picture): Float32Array {
  const size = width * height;
  const out = new Float32Array(3 * size);
  for (let i = 0; i < size; i++)
    for (let colour = 0; colour < 3; colour++) out[colour * size + i] = (rgb[3 * i + 2 - colour] ?? 0) / 255;
  return out;
}
