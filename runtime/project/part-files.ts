/** What tells the files of encoders and projectors from others of the same shapes, among an adapter's attributes. */
import type { Model } from '../../compiler/model/model.ts';
import type { Attributes } from '../../compiler/package/package.ts';
import { FILE_FINGERPRINT } from '../weights/attributes.ts';
import type { Origin } from './start.ts';

/**
 * The attributes with the fingerprints of the parts' files among them; not of parts that tasks train as a whole, whose
 * numbers are in the adapter's own file.
 */
export function withPartFiles(
  attributes: Attributes,
  { parameters, tasks }: Model,
  { encoders }: Pick<Origin, 'encoders'>,
): Attributes {
  const trained = new Set(tasks.flatMap(({ trains }) => trains));
  const frozen = new Set(parameters.filter(({ name }) => !trained.has(name)).map(({ owner }) => owner));
  const parts = Object.entries(attributes.parts).map(([part, values]) => {
    const fingerprint = frozen.has(part) ? encoders[part] : undefined;
    return [part, fingerprint === undefined ? values : { ...values, [FILE_FINGERPRINT]: fingerprint }];
  });
  return { ...attributes, parts: Object.fromEntries(parts) };
}
