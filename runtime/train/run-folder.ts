/** A run's folder in Node: `metrics.jsonl` and `checkpoints/`. */
import { loadCheckpoint, saveCheckpoint, type SaveOptions } from './checkpoint.ts';
import { openMetrics } from './metrics.ts';
import type { RunStore } from './run-store.ts';

/** @param options how checkpoints are kept and written */
export function runFolder(folder: string, options: SaveOptions = {}): RunStore {
  const place = `${folder}/checkpoints`;
  return {
    place,
    loadCheckpoint: () => loadCheckpoint(place),
    saveCheckpoint: (checkpoint) => saveCheckpoint(place, checkpoint, options),
    openMetrics: (first) => openMetrics(folder, first),
  };
}
