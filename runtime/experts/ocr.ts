/** Reads text by Tesseract. Works in Node and in a page; loads tesseract.js when it is opened. */
import type { Worker } from 'tesseract.js';
import type { Picture } from '../images/picture.ts';
import { resize } from '../images/resize.ts';
import type { Reader } from './expert.ts';
import { loadOptional } from './optional.ts';
import { readLines, type Word } from './reading-order.ts';

export interface OcrOptions {
  readonly language: string;
  /** Words below are left out, 0 to 1. */
  readonly confidence: number;
  /** Folder or address of the language's `.traineddata.gz`; absent, tesseract.js fetches it from its own server. */
  readonly data?: string;
}

/** LSTM alone, which is what the small language files hold. */
const ENGINE = 1;

/** Page modes in the order they are tried: a page whose layout is found out, and text anywhere. */
const MODES = ['3', '11'] as const;

/** Letters of about 30 pixels are read best: small pictures are enlarged, and photographs need not be larger than this. */
const SMALL = 400;
const ENLARGED = 800;
const LARGE = 2400;

/** Opens Tesseract with one language. */
export async function openOcr(options: OcrOptions): Promise<Reader> {
  const worker = await startWorker(await loadOptional('tesseract.js', () => import('tesseract.js')), options);
  return {
    async read(picture) {
      const image = portablePixmap(fitted(picture));
      for (const mode of MODES) {
        await worker.setParameters({ tessedit_pageseg_mode: mode as never, user_defined_dpi: '150' });
        const { data } = await worker.recognize(image as never, {}, { text: false, blocks: true });
        const lines = (data.blocks ?? []).flatMap(({ paragraphs }) => paragraphs.flatMap((p) => p.lines));
        const reading = readLines(
          lines.map(({ words }) => words.map(wordOf)),
          options.confidence,
        );
        if (reading.text !== '') return reading;
      }
      return { text: '', confidence: null };
    },
    close: () => void worker.terminate(),
  };
}

/** Its own promise stays open for ever when the language cannot be loaded; only the handler hears of it. */
const startWorker = (
  { createWorker }: typeof import('tesseract.js'),
  { language, data }: OcrOptions,
): Promise<Worker> =>
  new Promise((resolve, reject) => {
    const failed = (error: unknown): void =>
      reject(new Error(`Tesseract does not start: ${String(error)}`, { cause: error }));
    createWorker(language, ENGINE, {
      ...(data === undefined ? {} : { langPath: data }),
      gzip: true,
      cacheMethod: 'none',
      errorHandler: failed,
    }).then(resolve, failed);
  });

type Found = import('tesseract.js').Word;

const wordOf = ({ text, confidence, bbox }: Found): Word => ({
  text,
  confidence: confidence / 100,
  box: { left: bbox.x0, top: bbox.y0, right: bbox.x1, bottom: bbox.y1 },
});

function fitted(picture: Picture): Picture {
  const longest = Math.max(picture.width, picture.height);
  const scale = longest < SMALL ? Math.min(4, ENLARGED / longest) : Math.min(1, LARGE / longest);
  if (scale === 1) return picture;
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  return resize(picture, side(picture.width), side(picture.height));
}

/** A picture file of the plainest kind, which Tesseract reads everywhere. */
function portablePixmap({ width, height, rgb }: Picture): Uint8Array {
  const head = new TextEncoder().encode(`P6\n${width} ${height}\n255\n`);
  const file = new Uint8Array(head.length + rgb.length);
  file.set(head);
  file.set(rgb, head.length);
  return file;
}
