/** A model that was really trained, stories260K of llama2.c, against recorded figures of another implementation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Base, Model } from '../../compiler/model/model.ts';
import type { Device } from '../../runtime/device/device.ts';
import { openFile } from '../../runtime/files.ts';
import { endless, generate, makeDecoder, prefill } from '../../runtime/generate.ts';
import { initParameter } from '../../runtime/random.ts';
import { argmax } from '../../runtime/sample.ts';
import { evaluate, makeTrainer } from '../../runtime/train/trainer.ts';
import { loadBase } from '../../runtime/weights/base.ts';
import { openLlama2c } from '../../runtime/weights/llama2c.ts';
import { distance, forward, openModel, withDevice } from '../compiler/sessions.ts';
import { fromLibrary } from '../compiler/subjects.ts';
import { withShared } from '../shared.ts';

const t = suite('stories260K');

interface Recorded {
  readonly greedy_from_bos_96: readonly number[];
  readonly prompt_ids: readonly number[];
  readonly prompt_last_logits: readonly number[];
  readonly greedy_ce_loss_mean: number;
}

const recorded = (folder: string): Recorded =>
  JSON.parse(readFileSync(join(folder, 'data/stories260K.golden.json'), 'utf8')) as Recorded;

/** A spec on the model, its parts as they start. */
async function load(
  folder: string,
  spec: string,
): Promise<{ model: Model; values: Map<string, Float32Array> }> {
  const file = await openLlama2c(await openFile(join(folder, 'data/stories260K.bin')));
  const base: Base = { name: 'stories', ...file.base, context: 112 };
  const model = fromLibrary(spec, { base, params: { late: 'last 4', length: '10' } });
  const { values } = await loadBase(file, base, model.parameters);
  await file.close();
  for (const p of model.parameters) if (!values.has(p.name)) values.set(p.name, initParameter(p.init, p, 1));
  return { model, values };
}

withShared(t, 'greedy text, logits and loss are those recorded', (folder) =>
  withDevice(async (device: Device) => {
    const wanted = recorded(folder);
    const { model, values } = await load(folder, 'llama-adapter-v1.adapter');
    const [bos = 1, ...text] = wanted.greedy_from_bos_96;
    const session = await openModel(device, model, values, {
      generation: { batch: 1, tokens: 8, context: 112 },
      evaluation: { batch: 1, tokens: { instruct: text.length } },
    });
    const d = makeDecoder(session);
    const [answer] = await generate(d, [[bos]], { maxTokens: text.length, tokenizer: endless, pick: argmax });
    assert.equal(answer, text);
    const [row] = await prefill(d, [wanted.prompt_ids]);
    assert.ok(
      distance(row ?? [], wanted.prompt_last_logits) < 1e-3,
      `logits are off by ${distance(row ?? [], wanted.prompt_last_logits)}`,
    );
    const batch = {
      tokens: Uint32Array.from([bos, ...text.slice(0, -1)]),
      labels: Uint32Array.from(text),
      labelled: text.length,
    };
    const loss = await evaluate(makeTrainer(session), 'instruct', batch);
    assert.ok(Math.abs(loss - wanted.greedy_ce_loss_mean) < 1e-4, `loss ${loss}`);
  }),
);

withShared(t, 'an adapter behind a closed gate changes no bit', (folder) =>
  withDevice(async (device: Device) => {
    const tokens = Uint32Array.from(recorded(folder).greedy_from_bos_96.slice(0, 96));
    const sizes = { forward: { batch: 1, tokens: tokens.length } };
    const rows = [];
    for (const spec of ['llama.adapter', 'llama-adapter-v1.adapter', 'llama-adapter-v2.adapter']) {
      const { model, values } = await load(folder, spec);
      rows.push(
        (await forward(await openModel(device, model, values, sizes), tokens)).map((row) => [...row]),
      );
    }
    assert.is(distance(rows[1]?.flat() ?? [], rows[0]?.flat() ?? []), 0, 'version 1');
    assert.is(distance(rows[2]?.flat() ?? [], rows[0]?.flat() ?? []), 0, 'version 2');
  }),
);

t.run();
