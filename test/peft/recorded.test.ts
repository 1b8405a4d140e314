/** Adapters of PEFT, recorded with its own code: imported, they compute, train and answer as they did there. */
import { join } from 'node:path';
import { suite } from 'uvu';
import { withShared } from '../shared.ts';
import { agrees, goesBack } from './recorded.ts';

const t = suite('peft: recorded adapters');

const CASES = [
  'adaption',
  'adaption_mistral',
  'dora',
  'dora_bias_base',
  'ia3',
  'ia3_bias_base',
  'ia3_default',
  'ln_tuning',
  'lora_all_rslora',
  'lora_bias_all',
  'lora_bias_lora_only',
  'lora_embed_head_norm',
  'lora_embed_tied_ensured',
  'lora_head',
  'lora_layers',
  'lora_patterns',
  'lora_qv',
  'prefix',
  'prefix_qwen3',
  'prompt',
  'prompt_llama2',
];

for (const name of CASES) {
  withShared(t, name, (folder) => agrees(join(folder, 'golden-hf/peft', name)));
  withShared(t, `${name} goes back`, (folder) => goesBack(join(folder, 'golden-hf/peft', name)));
}

t.run();
