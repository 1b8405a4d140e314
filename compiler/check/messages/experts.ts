/** Messages about experts. */
import { error, type Diagnostic } from '../../../grammar/diagnostic.ts';
import type { Span } from '../../../grammar/source.ts';

/** A way to run an expert that nothing could follow. */
export const cannotRun = (span: Span, message: string, help: string): Diagnostic =>
  error('A135', span, message, { help });
