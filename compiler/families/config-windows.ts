/**
 * Sliding windows in a config.json: `sliding_window`, and which layers have it. `layer_types` lists them in the files of
 * transformers 5; before, each family had a rule of its own.
 */
import type { Base } from '../model/model.ts';
import { asNumber, type ConfigReader } from './config-reader.ts';

/** Which layers of a family have a window, where config.json has no `layer_types`. */
export interface Windows {
  /**
   * - `none`: a window is refused, since the family has none
   * - `all`: every layer
   * - `even`: layers 0, 2, 4, ...
   * - `pattern`: all but every n-th, n being `sliding_window_pattern`
   * - `late`: from layer `max_window_layers` on, and only with `use_sliding_window`
   */
  readonly rule: 'none' | 'all' | 'even' | 'pattern' | 'late';
  /** What the keys mean where they are missing. `sliding_window`: null is no window. */
  readonly unsaid: {
    readonly sliding_window: number | null;
    readonly sliding_window_pattern?: number;
    readonly max_window_layers?: number;
  };
}

export const noWindows: Windows = { rule: 'none', unsaid: { sliding_window: null } };

/** The window of a base and the layers that have it; undefined: no layer has one. */
export function readWindow(
  read: ConfigReader,
  { rule, unsaid }: Windows,
  layers: number,
): Base['window'] | undefined {
  // Whoever refuses keys that were not read then names the window.
  if (rule === 'none') return undefined;
  const written = read.take('sliding_window');
  const used = rule !== 'late' || read.flag('use_sliding_window');
  const tokens = asNumber(written === undefined ? unsaid.sliding_window : written);
  if (!used || tokens === undefined) return undefined;
  const windowed = typesOf(read, layers) ?? byRule(read, { rule, unsaid }, layers);
  if (windowed.length === 0) return undefined;
  if (tokens === null || !Number.isInteger(tokens) || tokens < 1) {
    read.refuse('sliding_window', `has a window of \`${String(written)}\` tokens (\`sliding_window\`)`);
    return undefined;
  }
  return { tokens, layers: windowed };
}

const range = (count: number): number[] => Array.from({ length: Math.max(0, count || 0) }, (_, i) => i);

/** The layers that `layer_types` gives a window; null where it is not written or says what is not known. */
function typesOf(read: ConfigReader, layers: number): number[] | null {
  const types = read.raw('layer_types');
  if (!Array.isArray(types)) return null;
  if (types.length !== layers) {
    read.refuse('layer_types', `has ${types.length} \`layer_types\` for ${layers} layers`);
    return null;
  }
  // Other types stay unread, and are refused with the keys that are.
  if (types.every((type) => type === 'full_attention' || type === 'sliding_attention'))
    read.take('layer_types');
  return range(layers).filter((layer) => types[layer] === 'sliding_attention');
}

function byRule(read: ConfigReader, { rule, unsaid }: Windows, layers: number): number[] {
  switch (rule) {
    case 'none':
      return [];
    case 'all':
      return range(layers);
    case 'even':
      return range(layers).filter((layer) => layer % 2 === 0);
    case 'pattern': {
      const key = read.raw('_sliding_window_pattern') === undefined ? '' : '_';
      const every = read.size(`${key}sliding_window_pattern`, unsaid.sliding_window_pattern);
      return range(layers).filter((layer) => (layer + 1) % every !== 0);
    }
    case 'late': {
      const from = read.number('max_window_layers', unsaid.max_window_layers);
      return range(layers).filter((layer) => layer >= from);
    }
  }
}
