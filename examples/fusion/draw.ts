/**
 * The pictures: each concept in four styles, as it is and with chance in it, as PNG files of 32 x 32 pixels.
 *
 * They are made from npm packages into `.cache/fusion` and never committed. All chance is seeded by what is drawn.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { hash } from '../base/random.ts';
import { type Drawing, plainLook, randomLook, render, side } from './augment.ts';
import type { Concept } from './concepts.ts';
import { packageVersion, type Style, styles, svgOf, trainedStyles } from './icons.ts';

export const cacheFolder = fileURLToPath(new URL('../../.cache/fusion/', import.meta.url));

/** Changed pictures of each drawing that is trained on. */
export const copies = 24;

/** Pixels of a side of a drawing before it is put into a picture. */
const DRAWN = 96;

/** Goes up when the same packages would give other pictures. */
const VERSION = 1;

/** Where a picture is, from the folder of the lists; `copy` counts from 1, and 0 is the drawing as it is, on white. */
export const picturePath = (style: Style, name: string, copy = 0): string =>
  `pictures/${style}/${name}${copy === 0 ? '' : `.${String(copy).padStart(2, '0')}`}.png`;

/** The thing that a picture shows, by its path. */
export const shownIn = (path: string): string => /([^/.]+)(?:\.\d+)?\.png$/.exec(path)?.[1] ?? '';

/**
 * The picture of nothing: CLIP's mean colour, which is as near to zero as eight bits come once it is normalised. The
 * released LLaMA-Adapter V2 shows zeros to the encoder for text that has no image.
 */
export const blankPath = 'pictures/blank.png';
const blankColour = [123, 117, 104] as const;

/** A drawing on nothing, as large as `DRAWN`. */
export async function draw(style: Style, name: string): Promise<Drawing> {
  const svg = Buffer.from(svgOf(style, name, DRAWN));
  const { data } = await sharp(svg)
    .resize(DRAWN, DRAWN)
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { size: DRAWN, rgba: new Uint8Array(data) };
}

/** A picture of a drawing, [32, 32, 3]; the look of a copy follows from what is drawn and the copy's number. */
export function picture(drawing: Drawing, style: Style, name: string, copy = 0): Uint8Array {
  return render(drawing, copy === 0 ? plainLook : randomLook(hash(`${style} ${name} ${copy}`)));
}

const toPng = (rgb: Uint8Array): Promise<Buffer> =>
  sharp(rgb, { raw: { width: side, height: side, channels: 3 } })
    .png({ compressionLevel: 6 })
    .toBuffer();

/** A drawing to be put into pictures: as it is, and in so many copies. */
export interface Wanted {
  readonly name: string;
  readonly style: Style;
  readonly copies: number;
}

/** What the experiment shows: copies for training of what is trained on, of everything the drawing as it is. */
export const wantedPictures = (concepts: readonly Concept[]): Wanted[] =>
  concepts.flatMap(({ name, role }) =>
    styles.map((style) => {
      const trained = role !== 'unseen' && (trainedStyles as readonly Style[]).includes(style);
      return { name, style, copies: trained ? copies : 0 };
    }),
  );

/**
 * Writes pictures, unless the folder already has them from the same packages and settings.
 * @param stampName file that remembers what was written; one for each set of pictures
 * @returns how many there are, and whether they were made now
 */
export async function writePictures(
  stampName: string,
  wanted: readonly Wanted[],
  onDrawn?: (done: number, of: number) => void,
): Promise<{ readonly count: number; readonly made: boolean }> {
  const stamp = stampOf(wanted);
  const count = 1 + wanted.reduce((sum, { copies }) => sum + 1 + copies, 0);
  const stampFile = cacheFolder + stampName;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return { count, made: false };
  rmSync(stampFile, { force: true });
  for (const style of styles)
    mkdirSync(dirname(cacheFolder + picturePath(style, 'any')), { recursive: true });
  writeFileSync(cacheFolder + blankPath, await toPng(blank()));
  for (const [index, one] of wanted.entries()) {
    await writeDrawing(one);
    onDrawn?.(index + 1, wanted.length);
  }
  // Written last: a build that was stopped is done again.
  writeFileSync(stampFile, stamp);
  return { count, made: true };
}

async function writeDrawing({ name, style, copies }: Wanted): Promise<void> {
  const drawing = await draw(style, name);
  for (let copy = 0; copy <= copies; copy++)
    writeFileSync(
      cacheFolder + picturePath(style, name, copy),
      await toPng(picture(drawing, style, name, copy)),
    );
}

const blank = (): Uint8Array =>
  Uint8Array.from({ length: 3 * side * side }, (_, i) => blankColour[i % 3] ?? 0);

/** Everything the pictures follow from. */
const stampOf = (wanted: readonly Wanted[]): string =>
  JSON.stringify({
    version: VERSION,
    drawn: DRAWN,
    sharp: sharp.versions,
    packages: Object.fromEntries(styles.map((style) => [style, packageVersion(style)])),
    wanted: wanted.map(({ name, style, copies }) => `${style} ${name} ${copies}`),
  });
