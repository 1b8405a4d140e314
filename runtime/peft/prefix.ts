/** The order of a prefix's keys: they are compared with rotated queries, so the numbers of each head stand in their order. */
import type { Base } from '../../compiler/model/model.ts';
import { reorderRope } from '../weights/rope.ts';

type Style = Base['rope']['style'];

/** @param keys [rows, heads x head_dim]: a row here is a column where weights are reordered */
export const orderColumns = (keys: Float32Array, base: Base, from: Style, to: Style): Float32Array =>
  reorderRope(keys, base.headDim, 1, from, to, base.rope.size);
