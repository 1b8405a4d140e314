/**
 * All of Graft as a library, for programs in Node: the compiler, the runtime, and the files both of them need. docs/api.md shows
 * how it is used; what a page can have is in `browser.ts`.
 */
export * from '../compiler/index.ts';
export * from './browser-specs.ts';
export { openFile, openTokenizer, openWeights } from './files.ts';
export { readPackage, writePackage } from './files/package.ts';
export { nodeHost } from './hosts/node.ts';
export { nodeSpecs } from './hosts/node-specs.ts';
