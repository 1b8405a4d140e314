/** Reads from 64-bit little-endian ELF files which libraries they need, to load them in the right order. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NULL = 0;
const DT_NEEDED = 1;
const DT_STRTAB = 5;

function readSegments(bytes) {
  const at = Number(bytes.readBigUInt64LE(32));
  const entrySize = bytes.readUInt16LE(54);
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const entry = at + index * entrySize;
    return {
      type: bytes.readUInt32LE(entry),
      offset: Number(bytes.readBigUInt64LE(entry + 8)),
      address: Number(bytes.readBigUInt64LE(entry + 16)),
      size: Number(bytes.readBigUInt64LE(entry + 32)),
    };
  });
}

/** The names of the libraries that a shared library needs. */
export function neededLibraries(file) {
  const bytes = readFileSync(file);
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2) return [];
  const segments = readSegments(bytes);
  const dynamic = segments.find((segment) => segment.type === PT_DYNAMIC);
  if (!dynamic) return [];
  const names = [];
  let stringTable = 0;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    const tag = Number(bytes.readBigInt64LE(at));
    const value = Number(bytes.readBigUInt64LE(at + 8));
    if (tag === DT_NULL) break;
    if (tag === DT_NEEDED) names.push(value);
    if (tag === DT_STRTAB) stringTable = value;
  }
  const home = segments.find(
    ({ type, address, size }) => type === PT_LOAD && stringTable >= address && stringTable < address + size,
  );
  if (!home) return [];
  const strings = stringTable - home.address + home.offset;
  return names.map((name) => bytes.toString('latin1', strings + name, bytes.indexOf(0, strings + name)));
}

/** The libraries of a folder that `roots` need, the needed ones first. Others are left to the system. */
export function loadingOrder(folder, roots) {
  const order = [];
  const seen = new Set();
  const visit = (name) => {
    if (seen.has(name) || !existsSync(join(folder, name))) return;
    seen.add(name);
    for (const needed of neededLibraries(join(folder, name))) visit(needed);
    order.push(name);
  };
  roots.forEach(visit);
  return order;
}
