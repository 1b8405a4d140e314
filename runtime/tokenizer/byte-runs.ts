/**
 * Runs of byte tokens that are no UTF-8, as Hugging Face decodes them: EVERY byte of such a run becomes U+FFFD, also
 * those that would be a character by themselves. Source: huggingface/tokenizers decoders/byte_fallback.rs.
 */

type Json = Readonly<Record<string, unknown>>;

const usesByteFallback = (decoder: unknown): boolean => {
  const { type, decoders } = (decoder ?? {}) as { type?: unknown; decoders?: readonly unknown[] };
  return type === 'ByteFallback' || (decoders ?? []).some(usesByteFallback);
};

/**
 * A function that writes ids of broken runs as ids of U+FFFD, which any decoder gets right.
 * @param json tokenizer.json, parsed
 * @returns null where the decoder knows no byte tokens
 */
export function repairByteRuns(
  json: Json,
  idOf: (token: string) => number | undefined,
): ((ids: readonly number[]) => number[]) | null {
  if (!usesByteFallback(json['decoder'])) return null;
  const byteOf = new Map<number, number>();
  for (let byte = 0; byte < 256; byte++) {
    const id = idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    if (id !== undefined) byteOf.set(id, byte);
  }
  const idOfByte = new Map([...byteOf].map(([id, byte]) => [byte, id]));
  const replacement = [0xef, 0xbf, 0xbd].flatMap((byte) => idOfByte.get(byte) ?? []);
  if (replacement.length < 3) return null;
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const repaired = (run: readonly number[]): readonly number[] => {
    try {
      utf8.decode(Uint8Array.from(run, (id) => byteOf.get(id) ?? 0));
      return run;
    } catch {
      return run.flatMap(() => replacement);
    }
  };
  return (ids) => {
    const out: number[] = [];
    for (let i = 0; i < ids.length;) {
      let end = i;
      while (end < ids.length && byteOf.has(ids[end] ?? -1)) end++;
      out.push(...(end > i ? repaired(ids.slice(i, end)) : ids.slice(i, i + 1)));
      i = Math.max(end, i + 1);
    }
    return out;
  };
}
