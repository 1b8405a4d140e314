/** A case of CLIP's vision transformer alone: every block's tokens. */
import { compile } from '../../compiler/compile.ts';
import type { Base } from '../../compiler/model/model.ts';
import type { Device } from '../device/device.ts';
import { programFor } from '../session.ts';
import { writeImages } from '../train/batch.ts';
import { clipKey } from '../weights/vision-keys.ts';
import { nodeSpecHost } from '../hosts/node-specs.ts';
import { loadModel } from '../project/spec.ts';
import { type ClipConfig, type GoldenCase, requireFile } from './case.ts';
import { eye } from './choose.ts';
import { BOUNDS, relativeDifference, Report } from './compare.ts';
import { compareOutputs } from './outputs.ts';
import { imagesOf, open, readOutput } from './session.ts';
import { specPath } from './subject.ts';
import { requireTensors } from './tensors.ts';

/** Any base will do: it is not run. */
const BASE: Base = {
  name: 'golden',
  family: 'llama',
  layers: 2,
  dim: 8,
  heads: 2,
  kvHeads: 2,
  headDim: 4,
  ffn: 8,
  vocab: 8,
  context: 8,
  normEps: 1e-5,
  rope: { style: 'interleaved', theta: 10000 },
  tied: true,
};
const PART = 'vision';

export async function runEncoder(device: Device, golden: GoldenCase): Promise<Report> {
  const config = golden.config as typeof golden.config & ClipConfig;
  const [weights, given, expected] = [
    await requireFile(golden, 'weights'),
    await requireFile(golden, 'inputs', ['image']),
    await requireFile(golden, 'outputs', ['tokens']),
  ];
  const params = { late: 'last 1', eye: eye(config, weights, '', config.ln_eps) };
  const model = loadModel(nodeSpecHost, specPath('v2-released-7b.adapter:V2Multimodal'), {
    base: BASE,
    params,
  });
  const keys = new Map(
    model.parameters
      .filter((p) => p.owner === PART)
      .map((p) => [p.name, clipKey(p.name.slice(PART.length + 1), p, '')]),
  );
  const own = { ...model, parameters: model.parameters.filter((p) => p.owner === PART) };
  requireTensors(own, keys, weights, config);
  const images = imagesOf(given, config, model);
  const batch = given.get('image')?.shape[0] ?? 1;
  const compiled = compile(
    { ...model, tasks: [] },
    { profile: device.profile, encoding: { part: PART, batch }, taps: true },
  );
  // The base's weights are not in the case, and no program of this package reads them.
  const known = {
    ...compiled,
    manifest: {
      ...compiled.manifest,
      parameters: compiled.manifest.parameters.filter((p) => p.owner === PART),
    },
  };
  const session = await open(device, known, keys, weights);
  const program = programFor(session, { kind: 'encode', part: PART });
  writeImages(session, program, images ?? undefined);
  session.executor.run(program);
  const report = new Report();
  await compareOutputs(session, program, expected, report);
  const tokens = program.outputs.find((output) => output.name === 'tokens');
  const cls = expected.get('cls');
  if (tokens && cls) {
    const [width, all] = [tokens.axis.size, await readOutput(session, tokens)];
    const first = Float32Array.from(
      { length: batch * width },
      (_, i) => all[Math.floor(i / width) * (tokens.rows / batch) * width + (i % width)] ?? NaN,
    );
    report.add('outputs', relativeDifference(first, cls.values), BOUNDS.output, 'cls');
  }
  session.executor.destroy();
  return report;
}
