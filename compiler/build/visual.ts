/** What an image becomes before it meets the words: encoder, projector, and the prompts that read them. */
import { invariant } from '../../grammar/invariant.ts';
import { axis, type Axis, type Model, type Part } from '../model/model.ts';
import { numberOf } from '../model/values.ts';
import type { Tensor } from '../graph/graph.ts';
import { atPart, type Context } from './context.ts';
import type { Visual } from './hooks.ts';

const partNamed = (model: Model, name: string): Part => {
  const part = model.parts.find((p) => p.name === name);
  invariant(part, `no part ${name}`);
  return part;
};

/** What the image adds to one prompt in one layer. */
export function visualOf(c: Context, part: Part, layer: number): Visual {
  if (!c.shape.image) return { own: null, added: null };
  const adding = c.model.parts.filter(
    (p) => p.layers.includes(layer) && c.hooksOf(p).addedTo?.(p) === part.name,
  );
  const own = part.source === null ? null : tokensOf(c, part.source);
  const length = lengthOf(part);
  const taken = new Set(own ? [own.id] : []);
  const added = adding.flatMap((p) => {
    if (p.source === null) return [];
    const tokens = repeated(c, p.source, length / lengthOf(p));
    // An operation reads a tensor once: tokens that are added to themselves are a copy.
    const other = taken.has(tokens.id) ? c.g.reshape(tokens, tokens.rows, tokens.axis) : tokens;
    taken.add(other.id);
    return [other];
  });
  return { own, added: added.length === 0 ? null : added.reduce((x, y) => c.g.add(x, y)) };
}

/**
 * Tokens of a projector or encoder, built once a program. When decoding, prompts' keys and values come from the
 * state: a stand-in of the right shape is all that is asked for, and nothing is built.
 */
export function tokensOf(c: Context, name: string): Tensor {
  const known = c.visual.get(name);
  if (known) return known;
  const part = partNamed(c.model, name);
  const { tokens, image } = c.hooksOf(part);
  invariant(tokens, `${part.kind} gives no tokens`);
  const given = image?.(part);
  const run = (input: Tensor) => {
    atPart(c, name, null, part);
    return tokens(c.g, part, c.model.base, c.shape.batch, input);
  };
  const made =
    given && c.shape.cached?.has(name)
      ? imageInput(c, name, given.tokens.rows, given.tokens.axis)
      : run(given ? imageInput(c, name, given.rows, axis(given.width)) : tokensOf(c, part.source ?? ''));
  c.visual.set(name, made);
  c.tap(`tokens.${name}`, made);
  return made;
}

const lengthOf = (part: Part): number => numberOf(part.fields['length']);

/** A projector's tokens, each `times` times: one token is added to every token of a prompt. */
function repeated(c: Context, name: string, times: number): Tensor {
  const tokens = tokensOf(c, name);
  if (times === 1) return tokens;
  const key = `${name} x ${times}`;
  const made = c.visual.get(key) ?? c.g.repeat(tokens, { times });
  c.visual.set(key, made);
  return made;
}

/** What the host writes: patches of each image, or features, or an encoder's tokens. */
const imageInput = (c: Context, name: string, rows: number, ax: Axis): Tensor =>
  c.g.tensor(`image.${name}`, c.shape.batch * rows, ax, 'inputs', 'f32', { image: name });
