/** The key-value cache and generation, against the official inference code. */
import { type Decoder, decode, endless, generate, prefill } from '../generate.ts';
import { argmax } from '../sample.ts';
import type { Generation, Tensors } from './case.ts';
import { BOUNDS, maxDifference, type Report } from './compare.ts';

/** Prefill of `start` tokens, then one at a time, each teacher-forced. */
export async function checkCache(
  decoder: Decoder,
  rows: readonly (readonly number[])[],
  start: number,
  expected: Tensors,
  report: Report,
): Promise<void> {
  const tensor = expected.get('logits');
  const length = rows[0]?.length ?? 0;
  const vocab = tensor?.shape[2] ?? 0;
  const compare = (logits: readonly Float32Array[], position: number) =>
    logits.forEach((row, b) => {
      const at = (b * (length - start + 1) + position) * vocab;
      report.add(
        'kv cache',
        maxDifference(row, tensor?.values.subarray(at, at + vocab) ?? []),
        BOUNDS.kv,
        `position ${start - 1 + position}`,
      );
    });
  compare(
    await prefill(
      decoder,
      rows.map((row) => row.slice(0, start)),
    ),
    0,
  );
  for (let t = start; t < length; t++)
    compare(
      await decode(
        decoder,
        rows.map((row) => row[t] ?? 0),
        rows.map(() => t),
      ),
      t - start + 1,
    );
}

/** Greedy tokens of all prompts in one batch, and of one that ends. */
export async function checkGeneration(
  decoder: Decoder,
  generation: Generation,
  report: Report,
): Promise<void> {
  const continued = (prompts: Generation['prompts'], ends: readonly number[]) =>
    generate(decoder, prompts, {
      maxTokens: generation.max_gen_len,
      tokenizer: { ...endless, ends: new Set(ends) },
      pick: argmax,
    });
  report.same('tokens', await continued(generation.prompts, []), generation.generated, 'generated');
  const stop = generation.eos_test;
  if (!stop) return;
  const [ended] = await continued([stop.prompt], [stop.eos_id]);
  report.same('tokens', ended, stop.generated, 'eos_test');
}
