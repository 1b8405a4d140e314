/**
 * Added tokens that are runs of U+2581, as Gemma has: they stand for that character where a text holds it, and never
 * for spaces, although the normalizer writes spaces so. The library looks such tokens up in normalized text as well;
 * so they are taken from its list and cut out of the text here, before it is normalized.
 */

type Json = Readonly<Record<string, unknown>>;
interface Added {
  readonly id: number;
  readonly content: string;
  readonly normalized?: boolean;
}

const isLiteral = ({ content, normalized }: Added): boolean =>
  normalized === false && /^\u2581+$/.test(content);

export interface Split {
  /** tokenizer.json without those tokens. */
  readonly json: Json;
  /** A text in pieces: texts to be encoded, and ids of those tokens. */
  readonly pieces: (text: string) => readonly (string | number)[];
}

/** Takes such tokens out of a tokenizer.json; they stay in its vocabulary, so ids are decoded as before. */
export function withoutLiteralSpaces(json: Json): Split {
  const added = (json['added_tokens'] ?? []) as readonly Added[];
  const literals = added.filter(isLiteral).sort((a, b) => b.content.length - a.content.length);
  const vocab = (json['model'] as Json | undefined)?.['vocab'];
  const held = literals.every(({ content }) => Object.hasOwn(vocab ?? {}, content));
  if (literals.length === 0 || !held) return { json, pieces: (text) => [text] };
  const ids = new Map(literals.map(({ content, id }) => [content, id]));
  const pattern = new RegExp(`(${literals.map(({ content }) => content).join('|')})`);
  return {
    json: { ...json, added_tokens: added.filter((token) => !isLiteral(token)) },
    pieces: (text) =>
      text
        .split(pattern)
        .filter((piece) => piece !== '')
        .map((piece) => ids.get(piece) ?? piece),
  };
}
