/** A base as a declaration of the language, as `graft init` and `graft merge` write it. */
import { printRope } from './rotary.ts';
import type { ConfigBase } from './config.ts';

/** The attributes of a base in lines; what is as by default is left out where a reader would not miss it. */
export function baseLines(base: ConfigBase): string[] {
  const { family, layers, dim, heads, kvHeads, headDim, ffn, vocab, context, normEps, rope, tied, biases } =
    base;
  return [
    `${family === 'llama' ? '' : `family = ${family}  `}layers = ${layers}  dim = ${dim}  heads = ${heads}  kv_heads = ${kvHeads}  head_dim = ${headDim}`,
    `ffn = ${ffn}  vocab = ${vocab}  context = ${context}`,
    `norm_eps = ${normEps}  rope = ${printRope(rope)}${tied ? '  tied = true' : ''}`,
    ...(biases ? [`biases = [${biases.join(', ')}]`] : []),
  ];
}
