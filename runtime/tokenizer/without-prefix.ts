/** A tokenizer.json as it has to be for text that goes on from other text. */

type Json = Readonly<Record<string, unknown>>;

/**
 * The tokenizer without what puts a space in front of a text: the normalizer `Prepend`, and the prefixes of `Metaspace`
 * and `ByteLevel`.
 * @returns null where it puts none
 */
export function withoutPrefix(json: Json): Json | null {
  const normalizer = bareNormalizer(json['normalizer']);
  const before = barePreTokenizer(json['pre_tokenizer']);
  if (normalizer === json['normalizer'] && before === json['pre_tokenizer']) return null;
  return { ...json, normalizer, pre_tokenizer: before };
}

/** The step itself where there is nothing to take out of it. */
function bareNormalizer(step: unknown): unknown {
  const { type, normalizers } = (step ?? {}) as { type?: unknown; normalizers?: readonly unknown[] };
  if (type === 'Prepend') return null;
  if (type !== 'Sequence' || normalizers === undefined) return step;
  const kept = normalizers.map(bareNormalizer);
  return kept.every((inner, i) => inner === normalizers[i])
    ? step
    : { type, normalizers: kept.filter((inner) => inner !== null) };
}

function barePreTokenizer(step: unknown): unknown {
  const fields = (step ?? {}) as Json;
  const { type, pretokenizers, add_prefix_space: prefix, prepend_scheme: scheme } = fields;
  // Without a scheme it is `always`; older files say the same with `add_prefix_space`.
  if (type === 'Metaspace' && scheme !== 'never')
    return { ...fields, prepend_scheme: 'never', add_prefix_space: false };
  if (type === 'ByteLevel' && prefix === true) return { ...fields, add_prefix_space: false };
  if (type !== 'Sequence' || !Array.isArray(pretokenizers)) return step;
  const steps: readonly unknown[] = pretokenizers;
  const kept = steps.map(barePreTokenizer);
  return kept.every((inner, i) => inner === steps[i]) ? step : { ...fields, pretokenizers: kept };
}
