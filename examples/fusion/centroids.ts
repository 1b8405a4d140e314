/**
 * How much a frozen encoder knows, whatever it was trained with: the share of pictures that are nearest, by the angle
 * between all their tokens, to the mean of their own class.
 */

/** All tokens of a picture, one after the other. */
export type Features = Float32Array;

export interface Known {
  readonly name: string;
  readonly features: Features;
}

/** The mean direction of each class. */
export function classMeans(pictures: readonly Known[]): ReadonlyMap<string, Features> {
  const sums = new Map<string, Features>();
  for (const { name, features } of pictures) {
    const unit = toUnit(features);
    const sum = sums.get(name);
    if (sum) unit.forEach((value, i) => (sum[i] = (sum[i] ?? 0) + value));
    else sums.set(name, unit);
  }
  return new Map([...sums].map(([name, sum]) => [name, toUnit(sum)]));
}

/** The share of pictures whose nearest mean is that of their own class. */
export function shareNearest(means: ReadonlyMap<string, Features>, pictures: readonly Known[]): number {
  const right = pictures.filter(({ name, features }) => nearest(means, features) === name).length;
  return right / pictures.length;
}

/** The class whose mean direction is nearest; the length of `features` makes no difference. */
function nearest(means: ReadonlyMap<string, Features>, features: Features): string {
  let [best, found] = [-Infinity, ''];
  for (const [name, mean] of means) {
    const likeness = mean.reduce((sum, value, i) => sum + value * (features[i] ?? 0), 0);
    if (likeness > best) [best, found] = [likeness, name];
  }
  return found;
}

function toUnit(values: Features): Features {
  const length = Math.hypot(...values);
  return length === 0 ? values.slice() : values.map((value) => value / length);
}
