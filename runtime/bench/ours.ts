/** Our side: a package for each operation, run by the executor that trains adapters too. */
import { invariant } from '../../grammar/invariant.ts';
import { STEP } from '../../compiler/graph/graph.ts';
import type { PackagedParameter } from '../../compiler/package/package.ts';
import type { Device } from '../device/device.ts';
import { inputNamed, openSession, outputNamed, type Session } from '../session.ts';
import { STEP_INPUTS, type Block } from './graphs.ts';
import type { Numbers, Operation } from './ops.ts';
import { compileOperation, RATE } from './package.ts';
import { type Prepared, preparedStep, type Side } from './side.ts';

export function openOurs(device: Device): Side {
  return {
    async prepare(op, values) {
      const compiled = compileOperation(op, device.profile);
      const session = await openSession(device, compiled, (p) => parameterValues(p, values));
      writeInputs(session, hostInputs(op, values));
      return op.kind === 'block' ? prepareStep(session) : prepareOutput(session);
    },
  };
}

/** A parameter in file order: linears are [out, in] here and [in, out] in the shared values. */
export function parameterValues(p: Pick<PackagedParameter, 'name' | 'shape'>, values: Numbers): Float32Array {
  const given = values[p.name];
  invariant(given, `no values for ${p.name}`);
  const [rows, columns] = given.shape;
  if (rows === undefined || columns === undefined) return given.data;
  const turned = new Float32Array(given.data.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) turned[c * rows + r] = given.data[r * columns + c] ?? NaN;
  return turned;
}

/** What the host writes once, by the names of the graph's inputs. */
export function hostInputs(op: Operation, values: Numbers): Record<string, Float32Array | Uint32Array> {
  const data = (name: string): Float32Array => {
    const given = values[name];
    invariant(given, `no values for ${name}`);
    return given.data;
  };
  if (op.kind === 'matmul') return { a: data('a') };
  if (op.kind !== 'block') return { x: data('x') };
  return {
    x: data('x'),
    positions: Uint32Array.from({ length: op.tokens }, (_, i) => i),
    [STEP_INPUTS.minusY]: data('y').map((y) => -y),
    [STEP_INPUTS.slope]: slopeOf(op),
  };
}

const slopeOf = ({ tokens, dim }: Block): Float32Array => new Float32Array(dim).fill(2 / (tokens * dim));

function writeInputs(
  { executor, manifest }: Session,
  inputs: Readonly<Record<string, Float32Array | Uint32Array>>,
): void {
  const [program] = manifest.programs;
  invariant(program, 'a package without a program');
  for (const [name, data] of Object.entries(inputs)) executor.write(inputNamed(program, name), data);
  // The factors 1 / (1 - beta^t) are 1, since both betas are 0.
  const words = new Float32Array(STEP.cells + 2 * manifest.cells.length).fill(1);
  words.set([1, RATE, 0, 1], 0);
  if (manifest.buffers.step) executor.write({ buffer: 'step', offset: 0, size: words.byteLength }, words);
}

function prepareOutput({ executor, manifest }: Session): Prepared {
  const [program] = manifest.programs;
  invariant(program, 'a package without a program');
  return {
    async run(n) {
      for (let i = 0; i < n; i++) executor.run(program);
      await executor.device.check();
    },
    result: () => executor.read(outputNamed(program, 'out')),
    close: () => executor.destroy(),
  };
}

function prepareStep({ executor, manifest }: Session): Prepared {
  const [program] = manifest.programs;
  invariant(program, 'a package without a program');
  const advance = async (n: number): Promise<number> => {
    for (let i = 1; i < n; i++) executor.run(program);
    const [twice] = await executor.runAndRead([program], [outputNamed(program, 'twiceLoss')]);
    return (twice?.[0] ?? NaN) / 2;
  };
  return preparedStep(advance, () => executor.destroy());
}
