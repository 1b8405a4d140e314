/** Attributes of a base that hold for some of its layers. */
import type { Field } from '../kinds/kind.ts';
import { count, orNone } from '../kinds/fields.ts';
import type { Base, FieldValue } from '../model/model.ts';
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
  unrotated: {
    type: { kind: 'layers' },
    default: null,
    doc: 'Layers whose queries and keys are not rotated (0 in `no_rope_layers` of config.json); not written: none.',
  },
};

/** The base with what holds for some layers; null after reporting that the layers cannot be. */
export function withLayers(env: Env, base: Base, { values, written }: Values): Base | null {
  const layersAt = (key: string): readonly number[] | null | undefined => {
    const at = written.get(key)?.value;
    return at === undefined ? undefined : layersOf({ ...env, base }, at);
  };
  const window = windowOf(values['window'], layersAt('windowed'), base.layers);
  const windowed = written.get('windowed');
  const [ofWindow, ofLayers] = ['window', 'windowed'].map((key) => written.get(key)?.value.span.file);
  // Whoever writes `window = none` over a model's files says nothing of the layers that those list.
  const isStated = ofWindow !== undefined && ofWindow !== ofLayers;
  if (windowed !== undefined && typeof values['window'] !== 'number' && !isStated) {
    const why = 'write `window = TOKENS` beside it';
    env.report(badDimensions(windowed.value.span, 'there is no window for these layers', why));
    return null;
  }
  const unrotated = layersAt('unrotated');
  if (window === null || unrotated === null) return null;
  return {
    ...base,
    ...(window === undefined ? {} : { window }),
    ...(unrotated === undefined || unrotated.length === 0 ? {} : { unrotated }),
  };
}

/** The window in the layers that were written, or in all; null: the layers cannot be, undefined: none has a window. */
function windowOf(
  tokens: FieldValue | undefined,
  written: readonly number[] | null | undefined,
  count: number,
): Base['window'] | null | undefined {
  if (written === null) return null;
  if (typeof tokens !== 'number') return undefined;
  const layers = written ?? Array.from({ length: count }, (_, layer) => layer);
  return layers.length === 0 ? undefined : { tokens, layers };
}
