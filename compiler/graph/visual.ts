/** What an image becomes before it meets the words: encoder, projector, and the prompts that read them. */
import { invariant } from '../../grammar/invariant.ts';
import type { Visual } from '../kinds/kind.ts';
import { axis, type Model, type Part } from '../model/model.ts';
import { type Context, hooksOf } from './context.ts';
import type { Tensor } from './graph.ts';

const partNamed = (model: Model, name: string): Part => {
  const part = model.parts.find((p) => p.name === name);
  invariant(part, `no part ${name}`);
  return part;
};

/** What the image adds to one prompt in one layer. */
export function visualOf(c: Context, part: Part, layer: number): Visual {
  if (!c.shape.image) return { own: null, added: null };
  const adding = c.model.parts.filter(
    (p) => p.layers.includes(layer) && hooksOf(p).addedTo?.(p) === part.name,
  );
  const own = part.source === null ? null : tokensOf(c, part.source);
  const added = adding.flatMap((p) => (p.source === null ? [] : [tokensOf(c, p.source)]));
  return { own, added: added.length === 0 ? null : added.reduce((a, b) => c.g.add(a, b)) };
}

/**
 * Tokens of a projector or encoder, built once a program. When decoding, prompts' keys and values come from the
 * state: a stand-in of the right shape is all that is asked for, and nothing is built.
 */
export function tokensOf(c: Context, name: string): Tensor {
  const known = c.visual.get(name);
  if (known) return known;
  const part = partNamed(c.model, name);
  const { tokens, image } = hooksOf(part);
  invariant(tokens, `${part.kind} gives no tokens`);
  const input = image ? imageInput(c, part) : tokensOf(c, part.source ?? '');
  const made = tokens(c.g, part, c.model.base, c.shape.batch, input);
  c.visual.set(name, made);
  c.tap(`tokens.${name}`, made);
  return made;
}

/** What the host writes: patches of each image, or features. */
function imageInput(c: Context, part: Part): Tensor {
  const { rows, width } = hooksOf(part).image?.(part) ?? { rows: 0, width: 0 };
  return c.g.tensor(`image.${part.name}`, c.shape.batch * rows, axis(width), 'inputs');
}

/** Whether some part of the model looks at an image. */
export const hasImage = (model: Model): boolean => model.parts.some((part) => hooksOf(part).image);
