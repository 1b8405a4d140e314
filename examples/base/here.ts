import { fileURLToPath } from 'node:url';

/** The path of a file of this folder. */
export const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
