/** GGUF files: dequantised numbers as llama.cpp has them, logits and greedy tokens as transformers computes them from those. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Device } from '../../device/device.ts';
import { openFile, openWeights, readJson } from '../../files.ts';
import { endless, generate, makeDecoder } from '../../generate.ts';
import { InputError } from '../../input-error.ts';
import { argmax } from '../../sample.ts';
import { loadBase } from '../../weights/base.ts';
import { openGguf, readTensor, type GgufFile } from '../../weights/gguf/index.ts';
import type { ByteSource, WeightSource } from '../../weights/source.ts';
import { maxDifference, type Report } from '../compare.ts';
import { BOUND, ROUGH_MARGIN } from './bounds.ts';
import { logitsOf, modelOf, openOn } from './model.ts';

interface Recorded {
  readonly ids: readonly number[];
  readonly variants: Readonly<
    Record<string, { readonly greedy: readonly number[]; readonly greedy_margin: number }>
  >;
}

export async function runGguf(folder: string, report: Report, device: Device): Promise<void> {
  const recorded = (await readJson(join(folder, 'expected.json'))) as Recorded;
  const files = readdirSync(folder).filter((name) => name.endsWith('.gguf'));
  if (files.length === 0) throw new InputError(`${folder} holds no .gguf file`, 'get the case again');
  for (const file of files) {
    const kind = file.slice(basename(folder).length + 1, -'.gguf'.length);
    const source = await openFile(join(folder, file));
    const expected = await openWeights(join(folder, `expected-${kind}.safetensors`));
    try {
      const gguf = await openGguf(source);
      await compareRows(file, source, gguf, expected, report);
      await compareModel(file, gguf, { recorded, kind, expected, report, device });
    } finally {
      await Promise.all([expected.close(), source.close()]);
    }
  }
}

/** `dequantised_rows_FROM_TO.TENSOR`: rows in the file's own order, to the last bit. */
const ROWS = /^dequantised_rows_(\d+)_\d+\.(.+)$/;

async function compareRows(
  file: string,
  source: ByteSource,
  { header }: GgufFile,
  expected: WeightSource,
  report: Report,
): Promise<void> {
  for (const key of expected.tensors.keys()) {
    const [, from = '0', name = ''] = ROWS.exec(key) ?? [];
    if (name === '') continue;
    const tensor = header.tensors.get(name);
    const wanted = await expected.read(key);
    const numbers = tensor ? await readTensor(source, tensor) : new Float32Array();
    const start = Number(from) * (tensor?.shape.at(-1) ?? 1);
    const found = numbers.subarray(start, start + wanted.length);
    report.add('rows', maxDifference(found, wanted), 0, `${file} ${name}`);
  }
}

interface Compared {
  readonly recorded: Recorded;
  readonly kind: string;
  readonly expected: WeightSource;
  readonly report: Report;
  readonly device: Device;
}

/** Logits over the ids, and what the file's own model answers to them. */
async function compareModel(
  file: string,
  gguf: GgufFile,
  { recorded, kind, expected, report, device }: Compared,
): Promise<void> {
  const { ids } = recorded;
  const variant = recorded.variants[kind];
  if (variant === undefined)
    throw new InputError(`expected.json has no \`${kind}\` of ${file}`, 'get it again');
  const model = modelOf(gguf.config, file);
  const { values } = await loadBase(gguf, model.base, model.parameters);
  const { greedy, greedy_margin: margin } = variant;
  const session = await openOn(device, model, values, {
    forward: { batch: 1, tokens: ids.length },
    generation: { batch: 1, tokens: ids.length, context: ids.length + greedy.length },
  });
  try {
    const apart = maxDifference(await logitsOf(session, [ids]), await expected.read('logits'));
    report.add('logits', apart, BOUND.logits, `${file} logits`);
    if (margin < ROUGH_MARGIN) return;
    const options = { maxTokens: greedy.length, tokenizer: endless, pick: argmax };
    const [answer] = await generate(makeDecoder(session), [ids], options);
    report.same('tokens', answer, greedy, `${file} greedy`);
  } finally {
    session.executor.destroy();
  }
}
