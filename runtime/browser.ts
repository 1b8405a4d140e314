/**
 * What a web page needs: packages and weights by fetch, the device, generation and training. Nothing below imports Node;
 * docs/browser.md shows a whole page.
 */
export { adapterFile, openModel, type LoadedModel, type ModelOptions } from './project/open-model.ts';
export { taskBatches } from './project/record-batches.ts';
export { fetchPackage, fetchSource, fetchTokenizer, fetchWeights, weightsFrom } from './hosts/fetch.ts';
export { type Batches, microBatches } from './data/batches.ts';
export { encodePrompt, IGNORE } from './data/encode.ts';
export { fillPrompt, templateOf } from './data/templates.ts';
export { type Device, DeviceError, type DeviceOptions, openDevice } from './device/device.ts';
export {
  capacity,
  decode,
  type Decoder,
  generate,
  type GenerateOptions,
  makeDecoder,
  prefill,
  showImages,
} from './generate.ts';
export { askExperts } from './experts/ask.ts';
export { contextFor, withContext } from './experts/context.ts';
export type { Answer, Expert, Reading, Sight } from './experts/expert.ts';
export { padFeatures } from './images/features.ts';
export { decodePicture } from './images/browser.ts';
export { type DecodePicture, type Picture, PictureError } from './images/picture.ts';
export { cutPicture, patchPictures } from './images/prepare.ts';
export { InputError } from './input-error.ts';
export { loadPackage } from './package.ts';
export { initParameter } from './random.ts';
export { argmax, createSampler, createStopFilter, type Sampling } from './sample.ts';
export {
  openSession,
  type Package,
  type ParameterValues,
  readParameter,
  type Session,
  writeParameter,
} from './session.ts';
export type { MicroBatch } from './train/batch.ts';
export {
  evaluate,
  gradients,
  makeTrainer,
  type StepResult,
  type Trainer,
  trainStep,
} from './train/trainer.ts';
