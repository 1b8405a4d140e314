/** GGUF files as bases: the network that a file describes, with its numbers, against what transformers computes on them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Config } from '../../compiler/families/config-reader.ts';
import { readConfig } from '../../compiler/families/config.ts';
import { baseParameters } from '../../compiler/families/sites.ts';
import type { Base } from '../../compiler/model/model.ts';
import { openWeights } from '../../runtime/files.ts';
import { requireFileAgrees } from '../../runtime/project/base-config.ts';
import { loadBase } from '../../runtime/weights/base.ts';
import { distance, forward, openModel, withDevice } from '../compiler/sessions.ts';
import { modelOf } from '../compiler/subjects.ts';
import { withShared } from '../shared.ts';

const t = suite('gguf');

const files = {
  llama: ['f32', 'f16', 'q8_0', 'q4_0'],
  llama32: ['f16', 'q8_0'],
  qwen3: ['f16', 'q4_0'],
  gemma2: ['q8_0'],
  k256: ['q4_k_m'],
} as const;

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

for (const [name, kinds] of Object.entries(files))
  for (const kind of kinds)
    withShared(t, `${name} in ${kind} computes what transformers does`, async (shared) => {
      const folder = join(shared, 'golden-hf/gguf', name);
      const weights = await openWeights(join(folder, `${name}-${kind}.gguf`));
      const { base, problems } = readConfig(weights.config as Config);
      assert.equal(problems, []);
      const own: Base = { name: 'gguf', ...base! };
      const model = modelOf('task train on some trains base', own);
      const { values } = await loadBase(weights, own, baseParameters(own));
      // The same network as the config.json beside it says, though both say it in their own words.
      const said = readConfig(json(join(folder, 'hf/config.json')) as Config).base!;
      requireFileAgrees(weights, { name: 'hf', ...said, vocab: own.vocab });
      assert.throws(
        () => requireFileAgrees(weights, { ...own, rope: { ...own.rope, theta: 12345 } }),
        /`rope` is half/,
      );
      await weights.close();
      const { ids } = json(join(folder, 'expected.json')) as { ids: readonly number[] };
      const expected = await openWeights(join(folder, `expected-${kind}.safetensors`));
      const logits = await expected.read('logits');
      await expected.close();
      await withDevice(async (device) => {
        const session = await openModel(device, model, values, { forward: { batch: 1, tokens: ids.length } });
        const rows = await forward(session, Uint32Array.from(ids));
        const apart = distance(
          rows.flatMap((row) => [...row]),
          logits,
        );
        assert.ok(apart < 1e-4, `logits differ by ${apart}`);
      });
    });

t.run();
