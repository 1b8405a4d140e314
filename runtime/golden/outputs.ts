/** Outputs of every layer, against a file of the case. */
import type { Model } from '../../compiler/model/model.ts';
import type { Program } from '../../compiler/package/package.ts';
import type { Session } from '../session.ts';
import type { Tensors } from './case.ts';
import { BOUNDS, maxDifference, relativeDifference, type Report } from './compare.ts';
import { readOutput } from './session.ts';
import { type Subject, valuesOf } from './subject.ts';

/** What a tap of ours is called in the cases; several names, since the families differ. */
function namesOf(tap: string): string[] {
  const block = /^(vision|visual)\.blocks\.(\d+)$/.exec(tap);
  if (block) return [block[1] === 'vision' ? `resblock.${block[2]}` : `visual_block.${block[2]}`];
  const known: Readonly<Record<string, readonly string[]>> = {
    'tokens.vision': ['clip_tokens', 'tokens'],
    'tokens.visual': ['visual_query', 'visual_prompt'],
    'vision.ln_pre': ['ln_pre'],
  };
  return [...(known[tap] ?? [tap])];
}

export async function compareOutputs(
  session: Session,
  program: Program,
  expected: Tensors,
  report: Report,
): Promise<void> {
  for (const output of program.outputs) {
    const tensor = namesOf(output.name)
      .map((name) => expected.get(name))
      .find((found) => found !== undefined);
    if (!tensor || output.name === 'loss') continue;
    const actual = await readOutput(session, output);
    if (output.name === 'logits')
      report.add('logits', maxDifference(actual, tensor.values), BOUNDS.logits, 'logits');
    report.add('outputs', relativeDifference(actual, tensor.values), BOUNDS.output, output.name);
  }
}

/** Gates enter as they are: a mistake in the map of names would show here first. */
export function compareGates(
  model: Model,
  keys: Subject['keys'],
  weights: Tensors,
  expected: Tensors,
  report: Report,
): void {
  for (const { name, placement } of model.parameters) {
    if (placement?.role !== 'gate') continue;
    const { layer } = placement;
    const tensor = expected.get(`gate_tanh.${layer}`);
    const gate = valuesOf(keys, weights, name);
    if (tensor && gate)
      report.add(
        'outputs',
        relativeDifference(gate.map(Math.tanh), tensor.values),
        BOUNDS.output,
        `gate_tanh.${layer}`,
      );
  }
}
