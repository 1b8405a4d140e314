/** What the tasks of a model mean for its images. */
import { hasImage, imageInputs } from '../kinds/images.ts';
import type { Model } from '../model/model.ts';

/** Encoders of pictures whose tokens never change: no task trains them, and they see the same of a picture each time. */
export function cacheableEncoders(model: Model): string[] {
  const trained = new Set(model.tasks.flatMap((task) => task.trains));
  const moving = new Set(model.parameters.filter((p) => trained.has(p.name)).map((p) => p.owner));
  return imageInputs(model)
    .filter(({ part, pixels }) => pixels !== null && !pixels.crop && !moving.has(part))
    .map(({ part }) => part);
}

/** Whether the examples of a task come with images, and the model has somewhere to put them. */
export function showsImages(model: Model, task: string): boolean {
  const data = model.tasks.find((t) => t.name === task)?.data;
  return (
    hasImage(model) && model.data.some((source) => source.name === data && source.format === 'image_text')
  );
}
