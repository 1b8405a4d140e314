/** How answers are drawn: the options that `generate` and `chat` share. */
import { createSampler, type Sampling } from '../sample.ts';
import { positiveNumber, wholeNumber } from './command.ts';

export const samplingOptions = {
  temperature: { type: 'string', default: '0' },
  'top-k': { type: 'string', default: '0' },
  'top-p': { type: 'string', default: '1' },
  seed: { type: 'string', default: '0' },
} as const;

/** @throws UsageError or InputError for a number that makes no sense, before anything is loaded */
export function readSampling(values: {
  readonly temperature: string;
  readonly 'top-k': string;
  readonly 'top-p': string;
  readonly seed: string;
}): Sampling {
  const sampling = {
    temperature: positiveNumber(values.temperature, '--temperature'),
    topK: wholeNumber(values['top-k'], '--top-k'),
    topP: positiveNumber(values['top-p'], '--top-p', 1),
    seed: wholeNumber(values.seed, '--seed'),
  };
  // Refuses a top-p of 0.
  createSampler(sampling);
  return sampling;
}
