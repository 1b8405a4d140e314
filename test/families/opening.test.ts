/** A base declared by hand on a folder whose config.json says otherwise. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeHost } from '../../runtime/hosts/node.ts';
import { requireConfigAgrees } from '../../runtime/project/base-config.ts';
import { tiny } from '../compiler/subjects.ts';

const t = suite('opening a base beside its config.json');
const folder = mkdtempSync(join(tmpdir(), 'graft-config-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));

const config = {
  ...{ model_type: 'llama', hidden_size: 24, intermediate_size: 10, num_hidden_layers: 2, vocab_size: 13 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, rms_norm_eps: 1e-5, rope_theta: 10000 },
};

function opened(weights: string, more: object): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...more }));
  writeFileSync(join(folder, 'model.safetensors'), '');
  writeFileSync(join(folder, 'merged.safetensors'), '');
  try {
    requireConfigAgrees(nodeHost, { ...tiny, weights: join(folder, weights) });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

t('a folder, and a file by its usual name', () => {
  for (const weights of ['', 'model.safetensors']) {
    assert.is(opened(weights, {}), '');
    assert.match(
      opened(weights, { rope_theta: 5e5 }),
      /config\.json describes another model[^]*`rope` is half\(theta: 500000\)/,
    );
    assert.match(
      opened(weights, { quantization_config: { quant_method: 'awq' } }),
      /`quantization_config` = `awq`/,
    );
  }
});

t('a file of another name is taken as the spec says', () => {
  assert.is(opened('merged.safetensors', { rope_theta: 5e5 }), '');
});

t.run();
