/** A folder that PEFT saved: its configuration and its tensors. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openFile, readText } from './read.ts';
import { InputError } from '../input-error.ts';
import { parseJsonStrict } from '../json.ts';
import { type PeftConfig, readPeftConfig } from '../peft/config.ts';
import { openSafetensors } from '../weights/safetensors.ts';
import type { ByteSource, WeightSource } from '../weights/source.ts';

export const PEFT_CONFIG = 'adapter_config.json';
export const PEFT_WEIGHTS = 'adapter_model.safetensors';
/** What PEFT wrote before safetensors. */
const OLD_WEIGHTS = 'adapter_model.bin';

/** The folder that a path means: itself, or the one with the file of it that is named; null when it is none of PEFT's. */
export function peftFolder(path: string): string | null {
  const own = [PEFT_CONFIG, PEFT_WEIGHTS, OLD_WEIGHTS].includes(basename(path)) ? dirname(path) : path;
  return existsSync(join(own, PEFT_CONFIG)) ? own : null;
}

/**
 * Opens both files of the folder; the caller closes the tensors.
 * @throws InputError when one of them is not there, or says what is not understood
 */
export async function openPeft(folder: string): Promise<{ config: PeftConfig; source: WeightSource }> {
  const file = join(folder, PEFT_CONFIG);
  const config = readPeftConfig(parseJsonStrict(await readText(file), file), file);
  const name = [PEFT_WEIGHTS, OLD_WEIGHTS].find((known) => existsSync(join(folder, known)));
  if (name === undefined)
    throw new InputError(`${folder} has no ${PEFT_WEIGHTS}`, 'the folder is not whole: get it again');
  const bytes = await openFile(join(folder, name));
  try {
    return { config, source: await openTensors(bytes, name) };
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

async function openTensors(bytes: ByteSource, name: string): Promise<WeightSource> {
  if (name === PEFT_WEIGHTS) return openSafetensors(bytes);
  const { openTorch } = await import('../weights/torch/index.ts');
  return openTorch(bytes);
}
