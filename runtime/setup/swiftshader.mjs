/**
 * Fetches SwiftShader, Chromium's software Vulkan driver, out of the npm package @sparticuz/chromium. It works where apt does not,
 * but it is slow: no half precision, subgroups of four.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { writeJson } from './drivers.mjs';
import { runNpm } from './npm.mjs';

const PACKAGE = '@sparticuz/chromium@147.0.0';
const ARCHIVE = 'swiftshader.tar.br';
const LIBRARIES = ['libvulkan.so.1', 'libvk_swiftshader.so'];

/** Why SwiftShader cannot be fetched here, or null. */
export function swiftshaderObstacle() {
  if (process.platform !== 'linux') return `only for Linux, this is ${process.platform}`;
  return process.arch === 'x64' ? null : `no build for ${process.arch}`;
}

/** The files of a tar archive, by name. Enough of the format for this archive: no links, no sparse files. */
export function* readTar(bytes) {
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0;) {
    const text = (from, length) =>
      bytes.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12).trim() || '0', 8);
    const isFile = bytes[at + 156] === 0x30 || bytes[at + 156] === 0;
    const prefix = text(345, 155);
    const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
    if (isFile) yield { name, content: bytes.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

export function findFile(bytes, wanted) {
  for (const { name, content } of readTar(bytes))
    if (name === wanted || name.endsWith(`/${wanted}`)) return content;
  throw new Error(`${wanted} is not in ${PACKAGE}`);
}

/** Downloads the npm package by way of a folder inside `destination`, and gives its files (a tar). */
export function downloadPackage(destination, log) {
  const work = join(destination, 'work');
  mkdirSync(work, { recursive: true });
  log(`downloading ${PACKAGE}, 68 MB`);
  runNpm(['pack', '--loglevel=error', PACKAGE], { cwd: work });
  const packed = readdirSync(work).find((file) => file.endsWith('.tgz'));
  if (!packed) throw new Error(`npm gave no archive of ${PACKAGE}`);
  log('unpacking');
  const files = gunzipSync(readFileSync(join(work, packed)));
  rmSync(work, { recursive: true });
  return files;
}

/** Fetches SwiftShader into an empty folder. */
export function fetchSwiftshader(destination, log) {
  const archive = brotliDecompressSync(findFile(downloadPackage(destination, log), ARCHIVE));
  for (const library of LIBRARIES) writeFileSync(join(destination, library), findFile(archive, library));
  const icd = {
    file_format_version: '1.0.0',
    ICD: { library_path: './libvk_swiftshader.so', api_version: '1.1.0' },
  };
  writeJson(join(destination, 'icd.json'), icd);
  writeJson(join(destination, 'driver.json'), { icd: 'icd.json', libraries: LIBRARIES });
}
