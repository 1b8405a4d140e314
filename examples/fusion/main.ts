/** `npm run fusion`: where an image should enter. docs/fusion.md says what is tried and how. */
import { startProgram } from '../programs.ts';

const PROGRAMS = {
  data: ['build.ts', 'draw the pictures and write the lists'],
  eye: ['eye.ts', 'train the encoder; --judge says what the committed one knows'],
  table: ['run.ts', 'train every design on three seeds; --short, --only, --report'],
  experts: ['assisted.ts', 'what a true, a trained and a lying expert do'],
} as const;

process.exitCode = startProgram('fusion', import.meta.dirname, PROGRAMS, process.argv.slice(2));
