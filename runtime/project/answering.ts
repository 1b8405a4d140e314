/** The one way to a session that answers: a model compiled for generation, on the device, with trained parts in place. */
import { compile } from '../../compiler/compile.ts';
import type { Device } from '../device/device.ts';
import { requireFit } from '../device/fit.ts';
import type { Session } from '../session.ts';
import { capacityOf, openCompiled } from './session.ts';
import type { HostedModel } from './spec.ts';
import { startTrained, type TrainedOptions } from './trained.ts';

export interface AnsweringOptions extends TrainedOptions {
  /** Prompts that are answered together, the tokens of the longest, and the most tokens of an answer. */
  readonly batch: number;
  readonly tokens: number;
  readonly maxTokens: number;
  /** Whether the prompts come with images. */
  readonly image: boolean;
  /** Whether more is read behind an answer. Default: not. */
  readonly extend?: boolean;
  /** The file of the trained parts; null: they are as they start. */
  readonly adapter: string | null;
  /** Ends the reading of a large base that is not wanted any more. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a model for prompts of a known length; answers end at the base's context. The caller destroys `session.executor`.
 * @throws DeviceError when the device cannot hold it, InputError when adapter, base and spec do not belong together
 */
export async function openAnswering(
  device: Device,
  hosted: HostedModel,
  options: AnsweringOptions,
): Promise<Session> {
  const { batch, tokens, maxTokens, image, extend = false, adapter, signal } = options;
  const { host, model } = hosted;
  const context = Math.min(model.base.context, tokens + maxTokens);
  const compiled = compile(model, {
    profile: device.profile,
    generation: { batch, tokens, context, image, extend },
  });
  requireFit(compiled.manifest, capacityOf(host, device));
  const start = await startTrained(hosted, adapter, options);
  const opened = await openCompiled(device, compiled, {
    ...start,
    values: (parameter) => (signal?.throwIfAborted(), start.values(parameter)),
  });
  return opened.session;
}
