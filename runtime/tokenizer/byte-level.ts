/**
 * GPT-2's byte-level alphabet and pre-tokenisation, as Hugging Face's `ByteLevel` and `Digits` have them.
 *
 * Source: openai/gpt-2 src/encoder.py (`bytes_to_unicode` and the pattern); digits one by one as in LLaMA.
 */

/** A printable character for every byte: printable Latin-1 stands for itself, the rest moves up to U+0100. */
export const byteCharacters: readonly string[] = (() => {
  const characters: string[] = [];
  let moved = 0;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    characters.push(String.fromCharCode(printable ? byte : 256 + moved++));
  }
  return characters;
})();

const digits = /[^\d]+|\d/gu;
const words = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** The pieces of a text that no token crosses: ` word`, one digit, ` ...`, white space. */
export function* preTokenize(text: string): Generator<string> {
  for (const [part] of text.matchAll(digits)) for (const [word] of part.matchAll(words)) yield word;
}
