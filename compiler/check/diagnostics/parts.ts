/** Parts: their kinds, where they sit and what they read from. */
import { singleName, type Expression, type Name, type PartItem } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama } from '../../../grammar/entry.ts';
import { kinds } from '../../kinds/index.ts';
import type { Selects } from '../../kinds/kind.ts';
import { insert, remove, replace } from './edits.ts';
import { one, suggest } from './phrases.ts';

export const A103 = entry({
  code: 'A103',
  severity: 'error',
  title: 'unknown kind of part',
  text: `
    A part begins with its kind. The kinds are ${kinds.map(({ name }) => name).join(', ')}; the reference says what
    each does and which attributes it has.`,
  bad: onLlama('promt words on layers { length = 10 }'),
  good: onLlama('prompt words on layers { length = 10 }'),
});

/** `second`: the name of the part, which may be a kind when the two were swapped. */
export function unknownKind(name: Name, second: Name, candidates: readonly string[]): Diagnostic {
  const swapped = candidates.includes(second.text);
  const help =
    name.text === 'and'
      ? 'parts and groups are added up with `+`'
      : swapped
        ? `the kind stands first: \`${second.text} ${name.text}\``
        : undefined;
  const edits =
    name.text === 'and'
      ? replace(name.span, '+')
      : [...replace(name.span, second.text), ...replace(second.span, name.text)];
  return A103.at(name.span, `\`${name.text}\` is not a kind of part`, {
    ...suggest(name, candidates, 'kinds'),
    ...(help === undefined ? {} : { help, edits, notes: [] }),
  });
}

export const A113 = entry({
  code: 'A113',
  severity: 'error',
  title: 'reads from what is not there',
  text: `
    After \`from\`, and in \`fuse = add(...)\`, stands the name of a part of the same adapter.`,
  bad: onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vison { length = 20 }`),
  good: onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }`),
});

export const unknownPart = (name: Name, candidates: readonly string[], by: string): Diagnostic =>
  A113.at(name.span, `\`${by}\` reads from \`${name.text}\`, which is not there`, suggest(name, candidates));

export const A124 = entry({
  code: 'A124',
  severity: 'error',
  title: 'a part without a place, or with one it cannot have',
  text: `
    Prompts and prefixes sit on layers, biases and scales on linears and norms, LoRA and (IA)3 on linears, and
    \`unfreeze\` on anything that has a parameter. Encoders and projectors stand beside the base and have no \`on\`.`,
  bad: onLlama('bias biases'),
  good: onLlama('bias biases on every linear in layers'),
});

/** What is written when nobody says where: all that the kind can sit on and is usually put on. */
const places: Readonly<Record<Selects, string>> = {
  layers: 'on layers',
  'layers-or-input': 'on layers',
  linears: 'on layers.attention.{wq, wv}',
  sites: 'on every linear in layers',
  parameters: 'on every norm',
  input: 'on input',
  nothing: '',
};

const examples: Readonly<Record<Selects, string>> = {
  layers: 'on layers[last 30]',
  'layers-or-input': 'on layers[last 30]` or `on input',
  linears: 'on layers.attention.{wq, wv}',
  sites: 'on every linear in layers',
  parameters: 'on every norm',
  input: 'on input',
  nothing: '',
};

export const needsPlace = (item: PartItem, selects: Selects): Diagnostic =>
  A124.at(item.name.span, `\`${item.name.text}\` sits nowhere`, {
    label: `${one(item.type.text)} needs \`on\``,
    help: `write where, such as \`${examples[selects]}\``,
    edits: insert(item.name.span, item.name.span.end, ` ${places[selects]}`),
  });

/** `reads`: the kind reads from another part, whose name may have been written after `on`. */
export function noPlace(item: PartItem, on: Expression, reads: boolean): Diagnostic {
  const name = reads && item.from === null ? singleName(on) : null;
  const place = { ...on.span, start: item.name.span.end };
  return A124.at(on.span, `${one(item.type.text)} sits nowhere in the base`, {
    help:
      name === null ? 'take `on ...` away' : `what it reads is written with \`from\`: \`from ${name.text}\``,
    edits: name === null ? remove(place) : replace(place, ` from ${name.text}`),
  });
}

export const A130 = entry({
  code: 'A130',
  severity: 'error',
  title: 'a source that does not fit',
  text: `
    A projector reads from an encoder or from another projector, not from itself, and a prompt may read from a projector.
    Other kinds read from nothing.`,
  bad: onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      prompt  image on layers[first 1] from vision { length = 20 }`),
  good: onLlama(`
      encoder vision { model = clip("openai/clip-vit-large-patch14") }
      project visual from vision { length = 20 }
      prompt  image on layers[first 1] from visual`),
});

export const missingSource = (item: PartItem, kinds: readonly string[]): Diagnostic =>
  A130.at(item.name.span, `\`${item.name.text}\` reads nothing`, {
    help: `write \`from\` and the name of ${kinds.map(one).join(' or ')}`,
  });

export const noSource = (item: PartItem, from: Name): Diagnostic =>
  A130.at(from.span, `${one(item.type.text)} reads from nothing`, {
    help: `take \`from ${from.text}\` away`,
    edits: remove({ ...from.span, start: (item.on ?? item.name).span.end }),
  });

export const wrongSource = (
  item: PartItem,
  from: Name,
  source: PartItem,
  kinds: readonly string[],
): Diagnostic =>
  A130.at(from.span, `\`${item.name.text}\` cannot read from \`${from.text}\``, {
    label: one(source.type.text),
    related: [{ span: source.name.span, label: 'declared here' }],
    notes: [`${one(item.type.text)} reads from ${kinds.map(one).join(' or ')}`],
  });

/** `path` begins with the part that is read again and ends with its reader. */
export const readsItself = (from: Name, path: readonly string[]): Diagnostic =>
  A130.at(from.span, `\`${from.text}\` reads from itself`, {
    label:
      path.length === 1
        ? 'its own name'
        : `by way of ${path
            .slice(1)
            .map((p) => `\`${p}\``)
            .join(' and ')}`,
    help: 'name an encoder, or a projector that comes before it',
  });
