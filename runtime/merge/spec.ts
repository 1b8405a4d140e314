/** The spec beside a merged base: a `base` that says what the file holds, and an adapter that adds nothing. */
import { basename, relative } from 'node:path';
import { otherAttributes } from '../../compiler/families/print-base.ts';
import { printRope } from '../../compiler/families/rotary.ts';
import type { Base, Model } from '../../compiler/model/model.ts';

/** Where the files lie; paths in the spec are relative to its folder. */
export interface Place {
  readonly model: Model;
  readonly weights: string;
  readonly folder: string;
}

/** The text of the spec. */
export function baseSpec(base: Base, { model, weights, folder }: Place): string {
  const { tokenizer } = model.base;
  const init = base.init === undefined ? [] : [`init = ${base.init}`];
  const files = [
    `weights = ${JSON.stringify(basename(weights))}`,
    ...(tokenizer === undefined ? [] : [`tokenizer = ${JSON.stringify(inFolder(folder, tokenizer))}`]),
  ];
  const others = Object.entries(otherAttributes(base)).map(([name, value]) => `${name} = ${value}`);
  const lines = [
    `family = ${base.family}  layers = ${base.layers}  dim = ${base.dim}  heads = ${base.heads}  kv_heads = ${base.kvHeads}  head_dim = ${base.headDim}  ffn = ${base.ffn}  vocab = ${base.vocab}`,
    `context = ${base.context}  norm_eps = ${base.normEps}  rope = ${printRope(base.rope)}`,
    [`tied = ${base.tied}`, ...init].join('  '),
    ...(others.length === 0 ? [] : [others.join('  ')]),
    ...(base.store ? [`store = ${base.store}`] : []),
    files.join('  '),
  ];
  return `/// \`${model.base.name}\` with \`${model.name}\` in its weights, written by \`graft merge\`.
base ${base.name} {
${lines.map((line) => `  ${line}\n`).join('')}}

/// The base as it is.
adapter Merged on ${base.name} {}
`;
}

const inFolder = (folder: string, path: string): string => relative(folder, path).replaceAll('\\', '/');
