/** Block expansion (LLaMA Pro, arXiv 2401.02415, section 3.2): a deeper base that computes what the shallow one does. */
import { invariant } from '../../grammar/invariant.ts';

/** The linears that write into the residual stream: while they are zero, their layer adds nothing. */
const outputs = ['attention.wo.weight', 'feed_forward.w2.weight'];

/**
 * Parameters of a base of `to` layers from those of one of `from` layers: each old layer is followed by `to / from - 1`
 * copies of itself that add nothing yet. `to` is a multiple of `from`.
 */
export function expandLayers(
  values: ReadonlyMap<string, Float32Array>,
  from: number,
  to: number,
): Map<string, Float32Array> {
  const copies = to / from;
  invariant(Number.isInteger(copies), `${to} layers are no multiple of ${from}`);
  const expanded = new Map<string, Float32Array>();
  for (const [name, own] of values) {
    const [, layer, rest = ''] = /^layers\.(\d+)\.(.+)$/.exec(name) ?? [];
    if (layer === undefined) {
      expanded.set(name, own);
      continue;
    }
    for (let copy = 0; copy < copies; copy++) {
      const silent = copy > 0 && outputs.includes(rest);
      expanded.set(
        `layers.${Number(layer) * copies + copy}.${rest}`,
        silent ? new Float32Array(own.length) : own,
      );
    }
  }
  return expanded;
}
