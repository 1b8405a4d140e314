/** A captioner that is a Graft model itself (LLaMA-Adapter V2, arXiv 2304.15010, section 4.4: V1 trained on captions). */
import type { PixelRules } from '../../compiler/package/package.ts';
import { type Decoder, generate, showImages } from '../generate.ts';
import { cutPicture, patchPictures } from '../images/prepare.ts';
import type { Picture } from '../images/picture.ts';
import { argmax } from '../sample.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Reading } from './expert.ts';

/** A model on the device that looks at an image and is asked always the same. */
export interface Captioner {
  /** For one sequence with an image. */
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  readonly pixels: PixelRules;
  /** What it goes on from, as tokens. */
  readonly prompt: readonly number[];
  /** Longest answer, in tokens. */
  readonly tokens: number;
}

/** Writes a caption, always the likeliest token. The confidence is the geometric mean of their probabilities. */
export async function readCaption(
  { decoder, tokenizer, pixels, prompt, tokens }: Captioner,
  picture: Picture,
  signal: AbortSignal,
): Promise<Reading> {
  showImages(decoder, patchPictures([cutPicture(picture, pixels)], pixels));
  const likelihoods: number[] = [];
  const [ids = []] = await generate(decoder, [prompt], {
    maxTokens: tokens,
    tokenizer,
    pick: (logits) => {
      const id = argmax(logits);
      likelihoods.push(logProbability(logits, id));
      return id;
    },
    onToken: () => signal.aborted,
  });
  signal.throwIfAborted();
  const mean = likelihoods.reduce((sum, l) => sum + l, 0) / Math.max(1, likelihoods.length);
  return { text: tokenizer.decode(ids), confidence: Math.exp(mean) };
}

function logProbability(logits: Float32Array, id: number): number {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  return (logits[id] ?? 0) - most - Math.log(logits.reduce((sum, l) => sum + Math.exp(l - most), 0));
}
