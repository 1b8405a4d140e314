/** Attributes of a base that hold for some of its layers. */
import type { Field } from '../kinds/kind.ts';
import { count, orNone } from '../kinds/fields.ts';
import type { Base } from '../model/model.ts';
import type { Values } from './checked.ts';
import type { Env } from './env.ts';
import { layersOf } from './layers.ts';
import { badDimensions } from './diagnostics/values.ts';

export const layerFields: Readonly<Record<string, Field>> = {
  window: {
    type: orNone(count),
    default: null,
    doc: 'Keys that a query sees at most, its own among them (`sliding_window` of config.json); none: all up to its own. What parts add to a layer is seen by every query.',
  },
  windowed: {
    type: { kind: 'layers' },
    default: null,
    doc: 'Layers that have the window, such as `0..24 by 2`; not written: all.',
  },
};

/** The base with what holds for some layers; null after reporting that the layers cannot be. */
export function withLayers(env: Env, base: Base, { values, written }: Values): Base | null {
  const window = values['window'];
  const at = written.get('windowed')?.value;
  if (typeof window !== 'number') {
    if (at === undefined) return base;
    const why = 'write `window = TOKENS` beside it';
    env.report(badDimensions(at.span, 'there is no window for these layers', why));
    return null;
  }
  const all = Array.from({ length: base.layers }, (_, layer) => layer);
  const layers = at === undefined ? all : layersOf({ ...env, base }, at);
  if (layers === null) return null;
  return layers.length === 0 ? base : { ...base, window: { tokens: window, layers } };
}
