/** Skips that are decided while a test runs; the runner counts them. */
export const skipped: string[] = [];

/** Marks the running test as skipped: `if (!device) return skip('no device')`. */
export function skip(reason: string): void {
  skipped.push(reason);
}
