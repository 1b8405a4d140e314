/** Weights of encoders and projectors, from the files that their parts name. */
import { kindOfPart } from '../../compiler/kinds/index.ts';
import { vitOf } from '../../compiler/kinds/vit.ts';
import type { Model, Part } from '../../compiler/model/model.ts';
import { type EncoderPlan, planEncoder, planProjector, readEncoderParameter } from '../weights/encoder.ts';
import type { WeightSource } from '../weights/source.ts';
import type { HostedModel } from './spec.ts';
import { weightsFile } from './weights-file.ts';

function planPart(source: WeightSource, part: Part, model: Model): EncoderPlan {
  const parameters = model.parameters.filter(({ owner }) => owner === part.name);
  // What takes a picture is an encoder; what takes an encoder's tokens is a projector.
  if (!kindOfPart(part).hooks.image) return planProjector(source, part, parameters);
  const blocks = vitOf(part.fields['model'])?.layers;
  return planEncoder(source, { name: part.name, ...(blocks ? { blocks } : {}) }, parameters);
}

/** Values of encoders and projectors from the files their specs name; null for every other parameter. */
export interface EncoderFiles {
  readonly load: (name: string) => Promise<Float32Array | null>;
  readonly close: () => Promise<void>;
}

/** Opens every file that an encoder or a projector names. @throws InputError as `planEncoder` and `planProjector` do */
export async function openEncoders({ host, model }: HostedModel): Promise<EncoderFiles> {
  const opened: { readonly source: WeightSource; readonly plan: EncoderPlan }[] = [];
  const close = async () => {
    for (const { source } of opened) await source.close();
  };
  try {
    for (const part of model.parts) {
      const path = weightsFile(host.specs, part);
      if (path === null) continue;
      const source = await host.openWeights(path);
      try {
        opened.push({ source, plan: planPart(source, part, model) });
      } catch (error) {
        await source.close();
        throw error;
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async load(name) {
      for (const { source, plan } of opened) {
        const read = plan.reads.get(name);
        if (read) return readEncoderParameter(source, read);
      }
      return null;
    },
    close,
  };
}
