/** Files in Node, for all that reads or opens one by its path. A browser never loads this module. */
export { dataHost, openFile, readBytes, readFolder, readJson, readText } from './files/read.ts';
export { openTokenizer } from './files/tokenizer.ts';
export { openWeights } from './files/weights.ts';
