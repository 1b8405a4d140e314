/** `npm run base`: makes the embedded base again, or trains on it. docs/base.md says what comes of each. */
import { startProgram } from '../programs.ts';

const PROGRAMS = {
  corpus: ['build.ts', 'write text, tokenizer, instructions and token files'],
  pretrain: ['pretrain.ts', 'train the base in two stages'],
  stored: ['stored.ts', 'measure what storing it in fewer bits costs'],
  grow: ['grow.ts', 'make the deeper base of deep.adapter'],
  compare: ['compare.ts', 'train it by prompts, V2, LoRA and in full, three seeds each'],
} as const;

process.exitCode = startProgram('base', import.meta.dirname, PROGRAMS, process.argv.slice(2));
