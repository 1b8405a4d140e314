/** Whether processes have ended. */
import { readFileSync } from 'node:fs';

/** True once the process has ended; false when it is still there after some seconds. */
export async function hasEnded(pid: number): Promise<boolean> {
  for (let i = 0; i < 300; i++) {
    if (!isAlive(pid)) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

/** A process that has ended is still listed until its parent asks how. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
