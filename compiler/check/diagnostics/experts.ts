/** Experts. */
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama } from '../../../grammar/entry.ts';
import type { Span } from '../../../grammar/source.ts';

export const A135 = entry({
  code: 'A135',
  severity: 'error',
  title: 'an expert that cannot be run',
  text: `
    \`ocr\` takes the name of a language, \`http\` an address that begins with http:// or https://, and \`command\` a
    program with its arguments. A command runs without a shell: blanks part the words, single or double quotes hold one
    together, and variables, patterns, pipes and redirections mean nothing. Whether \`http\` and \`command\` may run at
    all is said on the command line (\`--allow\`), never in the spec.`,
  bad: onLlama(`expert search { run = command("python3 'search.py {image}") }`),
  good: onLlama(`expert search { run = command("python3 search.py {image}") }`),
});

/** A way to run an expert that nothing could follow. */
export const cannotRun = (span: Span, message: string, help: string): Diagnostic =>
  A135.at(span, message, { help });
