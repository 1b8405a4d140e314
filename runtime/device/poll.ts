/**
 * Dawn in Node polls with `setImmediate` for as long as a promise of it is pending, and burns a whole core. On a software device
 * that core is half of the machine. While a wait is pending we replace `setImmediate` by one that lets Dawn's polls sleep: none
 * for the first polls (short waits stay short), then longer and longer, up to half a millisecond.
 */

type Immediate = typeof globalThis.setImmediate;

const FREE_POLLS = 20;
const LONGEST_SLEEP_MS = 0.5;
const SLEEP_STEP_MS = 0.02;

let waits = 0;
let polls = 0;
let original: Immediate | null = null;
let installed: Immediate | null = null;

/** Only Dawn's polls are native functions without a name; other users of `setImmediate` are not slowed down. */
function isNativePoll(callback: unknown): boolean {
  return (
    typeof callback === 'function' && callback.name === '' && String(callback).endsWith('{ [native code] }')
  );
}

function install(): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const before = globalThis.setImmediate;
  const sleeping = ((callback: (...args: unknown[]) => void, ...args: unknown[]) => {
    if (!isNativePoll(callback)) return before(callback, ...args);
    return before(() => {
      polls += 1;
      if (polls > FREE_POLLS)
        Atomics.wait(cell, 0, 0, Math.min(LONGEST_SLEEP_MS, SLEEP_STEP_MS * (polls - FREE_POLLS)));
      callback(...args);
    });
  }) as Immediate;
  original = before;
  installed = sleeping;
  globalThis.setImmediate = sleeping;
}

function restore(): void {
  // Someone may have patched on top of us; then theirs stays and calls ours, which still works.
  if (original && globalThis.setImmediate === installed) globalThis.setImmediate = original;
  original = installed = null;
}

/** Awaits a promise of the device without burning a core. In a browser it just awaits. */
export async function waitGently<T>(promise: Promise<T>): Promise<T> {
  if (typeof globalThis.setImmediate !== 'function' || typeof SharedArrayBuffer !== 'function')
    return promise;
  if (waits === 0) install();
  waits += 1;
  polls = 0;
  try {
    return await promise;
  } finally {
    waits -= 1;
    if (waits === 0) restore();
  }
}
