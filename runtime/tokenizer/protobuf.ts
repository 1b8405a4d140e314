/** The few parts of the protobuf wire format that a SentencePiece model needs, with every length checked. */
import { InputError } from '../input-error.ts';

export interface ProtobufField {
  readonly number: number;
  /** A varint's value, or the bits of a fixed32. */
  readonly value: number;
  /** Contents of a length-delimited field; empty for the others. */
  readonly bytes: Uint8Array;
}

/**
 * Walks the fields of one message.
 * @throws InputError naming `file` when a field reaches beyond the message or has an unknown wire type
 */
export function* protobufFields(message: Uint8Array, file: string): Generator<ProtobufField> {
  const empty = new Uint8Array(0);
  let at = 0;
  const damaged = (what: string): InputError =>
    new InputError(
      `${file}: ${what} at byte ${at}: not a SentencePiece model`,
      'give a `tokenizer.model`, or get it again',
    );
  const varint = (): number => {
    // Ten bytes hold 64 bits; ours are small, so a double is wide enough (negative int32 wrap below).
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw damaged('the file ends inside a number');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw damaged('a number that does not end');
  };
  while (at < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const take = (length: number): Uint8Array => {
      if (length > message.length - at)
        throw damaged(`field ${number} of ${length} bytes reaches beyond the end`);
      return message.subarray(at, (at += length));
    };
    switch (key % 8) {
      case 0:
        yield { number, value: varint(), bytes: empty };
        break;
      case 1:
        yield { number, value: 0, bytes: take(8) };
        break;
      case 2:
        yield { number, value: 0, bytes: take(varint()) };
        break;
      case 5: {
        const bits = take(4);
        yield { number, value: new DataView(bits.buffer, bits.byteOffset).getUint32(0, true), bytes: bits };
        break;
      }
      default:
        throw damaged(`wire type ${key % 8}`);
    }
  }
}

/** The float32 in a fixed32 field. */
export const float32 = (field: ProtobufField): number =>
  field.bytes.length === 4
    ? new DataView(field.bytes.buffer, field.bytes.byteOffset).getFloat32(0, true)
    : NaN;
