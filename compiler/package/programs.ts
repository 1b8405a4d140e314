/** Names of programs: made of what a program is for, and never read back. */
import type { Purpose } from './package.ts';

/** `train:TASK`, `decode:64:image`: the name of the program that does this in a package. */
export function programName(purpose: Purpose): string {
  switch (purpose.kind) {
    case 'train':
    case 'update':
      return `${purpose.kind}:${purpose.task}`;
    case 'loss':
      return withImage(`loss:${purpose.task}`, purpose.attached);
    case 'forward':
    case 'prompts':
    case 'prefill':
    case 'extend':
      return withImage(purpose.kind, purpose.image);
    case 'decode':
      return withImage(`decode:${purpose.keys}`, purpose.image);
    case 'encode':
      return `encode:${purpose.part}`;
  }
}

const withImage = (name: string, image: boolean): string => (image ? `${name}:image` : name);
