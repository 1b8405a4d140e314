/** The emoji sets: SVG drawings of the same things in four styles, from npm packages. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The styles that are trained on, and the one that is not: what is right on it was not learned by heart. */
export const trainedStyles = ['noto', 'noto-v1', 'fluent-emoji-flat'] as const;
export const heldStyle = 'twemoji';
export const styles = [...trainedStyles, heldStyle] as const;
export type Style = (typeof styles)[number];

interface IconSet {
  readonly width?: number;
  readonly height?: number;
  readonly icons: Readonly<
    Record<
      string,
      { readonly body: string; readonly width?: number; readonly height?: number; readonly hidden?: boolean }
    >
  >;
}

const require = createRequire(import.meta.url);
const sets = new Map<Style, IconSet>();

const packageFile = (style: Style, file: string): unknown =>
  JSON.parse(readFileSync(require.resolve(`@iconify-json/${style}/${file}`), 'utf8'));

function setOf(style: Style): IconSet {
  const known = sets.get(style) ?? (packageFile(style, 'icons.json') as IconSet);
  sets.set(style, known);
  return known;
}

/** Names of the icons that are drawn in a style; aliases, which are other names of the same, are left out. */
export const iconNames = (style: Style): ReadonlySet<string> => new Set(Object.keys(setOf(style).icons));

export const packageVersion = (style: Style): string =>
  (packageFile(style, 'package.json') as { readonly version: string }).version;

/** An icon as an SVG document of `size` pixels a side. */
export function svgOf(style: Style, name: string, size: number): string {
  const set = setOf(style);
  const icon = set.icons[name];
  if (!icon) throw new Error(`${style} has no icon ${name}`);
  // 16 is what the format means when neither the icon nor its set says.
  const [width, height] = [icon.width ?? set.width ?? 16, icon.height ?? set.height ?? 16];
  const frame = `width="${size}" height="${size}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${frame}>${icon.body}</svg>`;
}
