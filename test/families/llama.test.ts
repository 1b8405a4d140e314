/** LLaMA bases against what transformers computes on them. */
import { join } from 'node:path';
import { suite } from 'uvu';
import { withShared } from '../shared.ts';
import { checkBase } from './golden.ts';

const t = suite('llama');

// Grouped queries and shards; biases of attention and of the feed-forward network; rotary scalings; a tied head; bfloat16.
for (const name of ['llama2', 'llama_bias', 'llama32', 'llama32_bf16', 'llama_linear'])
  withShared(t, `${name} computes what transformers does`, (folder) =>
    checkBase(join(folder, 'golden-hf/base'), name),
  );

withShared(t, 'llama_dynamic computes what transformers does', (folder) =>
  checkBase(join(folder, 'golden-hf/base'), 'llama_dynamic'),
);

t.run();
