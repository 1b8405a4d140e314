/** Stops on a bug of ours. What a user can cause is a Diagnostic or an error with a remedy, never an invariant. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`internal error: ${message}`);
}
