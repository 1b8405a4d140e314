/** A base as a declaration of the language, as `graft init` and `graft merge` write it. */
import { printLayers } from '../model/layers.ts';
import { printRope } from './rotary.ts';
import type { ConfigBase } from './config.ts';

/** The attributes of a base in lines; what is as by default is left out where a reader would not miss it. */
export function baseLines(base: ConfigBase): string[] {
  const { family, layers, dim, heads, kvHeads, headDim, ffn, vocab, context, normEps, rope, tied } = base;
  const others = Object.entries(otherAttributes(base)).map(([name, value]) => `${name} = ${value}`);
  return [
    `${family === 'llama' ? '' : `family = ${family}  `}layers = ${layers}  dim = ${dim}  heads = ${heads}  kv_heads = ${kvHeads}  head_dim = ${headDim}`,
    `ffn = ${ffn}  vocab = ${vocab}  context = ${context}`,
    `norm_eps = ${normEps}  rope = ${printRope(rope)}${tied ? '  tied = true' : ''}`,
    ...(others.length === 0 ? [] : [others.join('  ')]),
  ];
}

/** What not every network has, by the attributes that say so; an attribute that is as by default is not in it. */
export function otherAttributes({
  layers,
  biases,
  window,
  unrotated,
  scoreDim,
  scoreCap,
  logitCap,
}: ConfigBase): Readonly<Record<string, string>> {
  return {
    ...(biases ? { biases: `[${biases.join(', ')}]` } : {}),
    ...(window ? { window: String(window.tokens) } : {}),
    ...(window && window.layers.length < layers ? { windowed: `[${printLayers(window.layers)}]` } : {}),
    ...(scoreDim === undefined ? {} : { score_dim: String(scoreDim) }),
    ...(scoreCap === undefined ? {} : { score_cap: String(scoreCap) }),
    ...(logitCap === undefined ? {} : { logit_cap: String(logitCap) }),
    ...(unrotated ? { unrotated: `[${printLayers(unrotated)}]` } : {}),
  };
}
