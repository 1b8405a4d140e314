/** Runs one case of a golden set of Hugging Face's own code. */
import type { Device } from '../../device/device.ts';
import { Report } from '../compare.ts';
import { runBase } from './base.ts';
import type { HfCase, Kind } from './cases.ts';
import { runChat } from './chat.ts';
import { runGguf } from './gguf.ts';
import { runPeft } from './peft.ts';
import { runTokenizer } from './tokenizers.ts';

const runners: Readonly<Record<Kind, (path: string, report: Report, device: Device) => Promise<void>>> = {
  base: runBase,
  peft: runPeft,
  tokenizers: runTokenizer,
  chat: runChat,
  gguf: runGguf,
};

/** Compares a case. @throws InputError when Graft has no model for it, or a file of it is missing */
export async function runHfCase(device: Device, { kind, path }: HfCase): Promise<Report> {
  const report = new Report();
  await runners[kind](path, report, device);
  return report;
}
