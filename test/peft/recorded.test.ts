/** Adapters of PEFT, recorded with its own code: imported, they compute, train and answer as they did there. */
import { join } from 'node:path';
import { suite } from 'uvu';
import { withShared } from '../shared.ts';
import { agrees } from './recorded.ts';

const t = suite('peft: recorded adapters');

const CASES = [
  'lora_qv',
  'lora_layers',
  'ia3',
  'prefix',
  'prompt_llama2',
  'adaption',
  'ln_tuning',
  'lora_head',
  'lora_embed_head_norm',
];

for (const name of CASES) withShared(t, name, (folder) => agrees(join(folder, 'golden-hf/peft', name)));

t.run();
