/** How much there is to compile, told before it is begun: a slip in a size must not look like a compiler that hangs. */
import type { CompileOptions } from '../../compiler/compile.ts';
import { kindOfPart } from '../../compiler/kinds/index.ts';
import type { Model, Part } from '../../compiler/model/model.ts';
import { InputError } from '../input-error.ts';

/** Layers of all programs together: minutes of work. LLaMA-65B with a context of 2048 has about 700. */
const MOST_LAYERS = 2 ** 13;

/** @throws InputError when a package would have more layers than are compiled in a few minutes */
export function requireWork(model: Model, options: CompileOptions): void {
  const beside = model.parts.map((part) => ({ name: part.name, blocks: blocksOf(part) }));
  const blocks = model.base.layers + beside.reduce((sum, part) => sum + part.blocks, 0);
  const trained = Object.keys(options.training?.tokens ?? {}).length;
  const programs = trained + Object.keys(options.evaluation?.tokens ?? {}).length + generating(options);
  if (blocks * programs <= MOST_LAYERS) return;
  const sizes = [
    { what: `${model.base.layers} layers of the base \`${model.base.name}\``, blocks: model.base.layers },
    ...beside.map((part) => ({ what: `${part.blocks} blocks of \`${part.name}\``, blocks: part.blocks })),
  ];
  const [largest] = sizes.sort((a, b) => b.blocks - a.blocks);
  const context = options.generation
    ? `, or a smaller \`context\` (it is ${model.base.context}; each doubling is a program)`
    : '';
  throw new InputError(
    `\`${model.name}\` is too large to compile: ${blocks} layers and blocks in ${programs} programs, ` +
      `${blocks * programs} in all, at most ${MOST_LAYERS}`,
    `take fewer of the ${largest?.what}${context}`,
  );
}

/** Layers of a part's own network. */
function blocksOf(part: Part): number {
  const layers = kindOfPart(part).ownLayers?.(part);
  return typeof layers === 'number' ? layers : 0;
}

/** Prompts, prefilling, and a decoding step for each doubling of the keys from 64 on; again with images. */
function generating({ generation }: CompileOptions): number {
  if (!generation) return 0;
  const steps = 1 + Math.max(0, Math.ceil(Math.log2(generation.context / 64)));
  return (2 + steps) * (generation.image ? 2 : 1);
}
