/**
 * The part of Python's pickle language in which `torch.save` describes tensors.
 *
 * A pickle is a program: it may name any function of any module and have it called. This reader calls nothing. It knows
 * a handful of names, each of which only describes data, and refuses a file that names anything else.
 *
 * Source: CPython's `Lib/pickletools.py` (opcodes), PyTorch's `torch/_utils.py` and `torch/serialization.py`.
 */
import { InputError } from '../../input-error.ts';
import { known, made, storageOf } from './pickle-objects.ts';
import { isDict, type Named, type Pickled } from './pickle-values.ts';

/** Marks the start of a run of values on the stack. */
const MARK = Symbol('mark');
type Slot = Pickled | typeof MARK;

/**
 * The value a pickle describes.
 * @throws InputError naming what is not data, or that the pickle is damaged
 */
export function unpickle(bytes: Uint8Array, file: string): Pickled {
  return new Machine(bytes, file).run();
}

class Machine {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #file: string;
  readonly #stack: Slot[] = [];
  readonly #memo = new Map<number, Pickled>();
  #at = 0;

  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
  }

  run(): Pickled {
    for (;;) {
      const opcode = this.#bytes[this.#take(1)]!;
      if (opcode === 0x2e) return this.#pop();
      this.#step(opcode);
    }
  }

  readonly #damaged = (what: string): InputError =>
    new InputError(`${this.#file}: the description of its tensors is damaged: ${what}`, 'get the file again');

  #take(length: number): number {
    const from = this.#at;
    if (length < 0 || from + length > this.#bytes.length) throw this.#damaged('it ends early');
    this.#at = from + length;
    return from;
  }

  #u8 = (): number => this.#bytes[this.#take(1)]!;
  #u16 = (): number => this.#view.getUint16(this.#take(2), true);
  #i32 = (): number => this.#view.getInt32(this.#take(4), true);
  #u32 = (): number => this.#view.getUint32(this.#take(4), true);
  #u64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(this.#bytes.length)) throw this.#damaged(`a length of ${value}`);
    return Number(value);
  }
  #blob(length: number): Uint8Array {
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }
  #text = (length: number): string => new TextDecoder().decode(this.#blob(length));
  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#damaged('it ends early');
    const text = this.#text(end - this.#at);
    this.#take(1);
    return text;
  }

  #push(value: Slot): void {
    this.#stack.push(value);
  }
  #pop(): Pickled {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw this.#damaged('a value is missing');
    return value;
  }
  #top(): Pickled {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw this.#damaged('a value is missing');
    return value;
  }
  /** The values since the last mark. */
  #sinceMark(): Pickled[] {
    const from = this.#stack.lastIndexOf(MARK);
    if (from < 0) throw this.#damaged('a mark is missing');
    const values = this.#stack.splice(from).slice(1);
    return values as Pickled[];
  }
  #popMany(count: number): Pickled[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }
  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#damaged(`value ${index} was never kept`);
    this.#push(value);
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        if (this.#u8() > 5) throw this.#damaged('a version of the format that is not known');
        return;
      case 0x95: // FRAME
        this.#u64();
        return;
      case 0x28: // MARK
        return this.#push(MARK);
      case 0x30: // POP
        this.#stack.pop();
        return;
      case 0x31: // POP_MARK
        this.#sinceMark();
        return;
      case 0x32: // DUP
        return this.#push(this.#top());
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(this.#u8());
      case 0x4d: // BININT2
        return this.#push(this.#u16());
      case 0x4a: // BININT
        return this.#push(this.#i32());
      case 0x8a: // LONG1
        return this.#push(wholeNumber(this.#blob(this.#u8())));
      case 0x47: // BINFLOAT, big-endian
        return this.#push(this.#view.getFloat64(this.#take(8), false));
      case 0x58: // BINUNICODE
        return this.#push(this.#text(this.#u32()));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(this.#u8()));
      case 0x8d: // BINUNICODE8
        return this.#push(this.#text(this.#u64()));
      case 0x42: // BINBYTES
        return this.#push(this.#blob(this.#u32()));
      case 0x43: // SHORT_BINBYTES
        return this.#push(this.#blob(this.#u8()));
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
      case 0x8f: // EMPTY_SET
        return this.#push([]);
      case 0x7d: // EMPTY_DICT
        return this.#push({ kind: 'dict', entries: new Map() });
      case 0x74: // TUPLE
        return this.#push(this.#sinceMark());
      case 0x85: // TUPLE1
        return this.#push(this.#popMany(1));
      case 0x86: // TUPLE2
        return this.#push(this.#popMany(2));
      case 0x87: // TUPLE3
        return this.#push(this.#popMany(3));
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        return this.#append(this.#sinceMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#sinceMark());
      case 0x71: // BINPUT
        this.#memo.set(this.#u8(), this.#top());
        return;
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#u32(), this.#top());
        return;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 0x68: // BINGET
        return this.#recall(this.#u8());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#u32());
      case 0x63: // GLOBAL
        return this.#push(this.#named(this.#line(), this.#line()));
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string')
          throw this.#damaged('a name that is no text');
        return this.#push(this.#named(module, name));
      }
      case 0x51: // BINPERSID
        return this.#push(storageOf(this.#pop(), this.#damaged));
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const [name, args] = this.#popMany(2);
        return this.#push(made(name!, args!, this.#damaged));
      }
      case 0x62: {
        // BUILD: gives an object its attributes
        const state = this.#pop();
        const target = this.#top();
        if (isDict(target) && isDict(state))
          for (const [key, value] of state.entries) target.entries.set(key, value);
        return;
      }
      default:
        throw this.#damaged(`operation 0x${opcode.toString(16)} at byte ${this.#at - 1} describes no tensor`);
    }
  }

  #named(module: string, name: string): Named {
    const full = `${module} ${name}`;
    if (known.has(full)) return { kind: 'name', name: full };
    throw new InputError(
      `${this.#file} names \`${module}.${name}\`, which Python would import and could run; Graft runs nothing of a file`,
      'if you trust the file, save its tensors alone in Python: `safetensors.torch.save_file(...)`; else leave it alone',
    );
  }

  #append(values: readonly Pickled[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#damaged('values are added to what is no list');
    for (const value of values) (list as Pickled[]).push(value);
  }

  #setItems(values: readonly Pickled[]): void {
    const dict = this.#top();
    if (!isDict(dict) || values.length % 2 !== 0)
      throw this.#damaged('entries are added to what is no dictionary');
    for (let i = 0; i < values.length; i += 2) dict.entries.set(values[i]!, values[i + 1]!);
  }
}

/** A whole number of any length, little-endian in two's complement. */
function wholeNumber(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  if ((bytes.at(-1) ?? 0) >= 128) value -= 1n << BigInt(8 * bytes.length);
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
