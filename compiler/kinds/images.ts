/** The images that a model's encoders take. */
import type { Model } from '../model/model.ts';
import type { ImageInput } from '../package/package.ts';
import { hooksOf } from './index.ts';

/** For each encoder of the model, the form in which it takes an image. */
export const imageInputs = (model: Model): ImageInput[] =>
  model.parts.flatMap((part) => hooksOf(part).image?.(part) ?? []);

/** Whether some part of the model looks at an image. */
export const hasImage = (model: Model): boolean => model.parts.some((part) => hooksOf(part).image);
