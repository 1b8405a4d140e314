/** A stage of pre-training: a run of its own, which can be stopped at any time and goes on when called again. */
import { existsSync } from 'node:fs';
import { command as trainCommand } from '../../runtime/cli/train.ts';

/** Trains a base from random numbers, or from those of a file, as `graft train` does; a finished run is left alone. */
export async function trainStage(target: string, folder: string, from?: string): Promise<string> {
  const trained = `${folder}/adapter.safetensors`;
  if (existsSync(trained)) return trained;
  const start = from === undefined ? [] : ['--from', from];
  const resume = existsSync(`${folder}/metrics.jsonl`) ? ['--resume'] : [];
  const code = await trainCommand.run([target, '--out', folder, '--scratch', ...start, ...resume]);
  if (code !== 0) process.exit(code);
  return trained;
}
