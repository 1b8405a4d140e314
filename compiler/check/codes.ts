/** The catalogue of diagnostics: every code with its long text and examples. The short texts are in `messages/`. */
import type { Code } from './codes/code.ts';
import { nameCodes } from './codes/names.ts';
import { syntaxCodes } from './codes/syntax.ts';
import { taskCodes } from './codes/tasks.ts';
import { valueCodes } from './codes/values.ts';
import { warningCodes } from './codes/warnings.ts';

export type { Code } from './codes/code.ts';

/** In the order of their numbers. */
export const codes: readonly Code[] = [
  ...syntaxCodes,
  ...nameCodes,
  ...valueCodes,
  ...taskCodes,
  ...warningCodes,
].sort((a, b) => a.code.localeCompare(b.code));

/** The entry of a code, however it is spelled. */
export const codeOf = (code: string): Code | undefined => codes.find((c) => c.code === code.toUpperCase());
