/** The same work as the documented page, in Node and by another way in: values from memory, no files. */
import { readFileSync } from 'node:fs';
import { taskBatches } from '../../runtime/project/record-batches.ts';
import { encodePrompt } from '../../runtime/data/encode.ts';
import { fillPrompt, templateOf } from '../../runtime/data/templates.ts';
import type { Device } from '../../runtime/device/device.ts';
import { generate, makeDecoder } from '../../runtime/generate.ts';
import { argmax } from '../../runtime/sample.ts';
import { openSession } from '../../runtime/session.ts';
import { huggingfaceTokenizer } from '../../runtime/tokenizer/huggingface.ts';
import { makeTrainer, trainStep } from '../../runtime/train/trainer.ts';
import { type Subject, tokenizerFile } from './subject.ts';

export interface Task {
  readonly instructions: readonly string[];
  readonly records: readonly { readonly instruction: string; readonly output: string }[];
  readonly steps: number;
}

export interface Outcome {
  readonly answers: readonly (readonly number[])[];
  readonly losses: readonly number[];
}

export async function runInNode(
  device: Device,
  { compiled, values }: Subject,
  { instructions, records, steps }: Task,
): Promise<Outcome> {
  const { manifest, sources } = compiled;
  const shaders = Object.fromEntries(sources);
  const session = await openSession(
    device,
    { manifest, shaders },
    (p) => values.get(p.name) ?? new Float32Array(),
  );
  const tokenizer = huggingfaceTokenizer(JSON.parse(readFileSync(tokenizerFile, 'utf8')));
  const task = manifest.tasks[0]!;
  const template = templateOf(String(task.fields['template']));
  const prompts = instructions.map((instruction) =>
    encodePrompt(tokenizer, fillPrompt(template, { instruction })),
  );
  const answers = await generate(makeDecoder(session), prompts, {
    maxTokens: 12,
    tokenizer,
    pick: argmax,
  });
  const trainer = makeTrainer(session);
  const data = await taskBatches(session, task.name, tokenizer, records);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++)
    losses.push(
      (await trainStep(trainer, task.name, [data.batchAt(2 * step), data.batchAt(2 * step + 1)], 1e-3)).loss,
    );
  session.executor.destroy();
  return { answers, losses };
}
