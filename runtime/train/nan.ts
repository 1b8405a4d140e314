/** Finds the first tensor that is not finite, by running the step again, one dispatch at a time. */
import type { Program, Slice } from '../../compiler/package/package.ts';
import type { Session } from '../session.ts';

/**
 * The name of the first tensor with a NaN or an infinity in it, or null when there is none. The inputs on the device
 * must still be those of the step. Slow, as it reads every operand of every dispatch; the run has stopped anyway.
 */
export async function findNonFinite(session: Session, program: Program): Promise<string | null> {
  const { executor, manifest } = session;
  // One after the other: a read that is not awaited would fail when the session is closed.
  for (const p of manifest.parameters) if (!(await isFinite(session, p.slice))) return `parameter ${p.name}`;
  for (let i = 0; i < program.optimizerFrom; i++) {
    executor.run({ program: program.name, from: i, to: i + 1 });
    const label = program.dispatches[i]?.label ?? '';
    for (const slice of operandsOf(program, i)) if (!(await isFinite(session, slice))) return label;
  }
  return null;
}

/** Operands that hold floating-point numbers: not scratch, token ids or labels. */
function operandsOf(program: Program, index: number): readonly Slice[] {
  const scratch = Math.max(
    ...program.dispatches.flatMap((d) =>
      d.bindings.map((s) => (s.buffer === 'activations' && s.size !== 256 ? s.offset + s.size : 0)),
    ),
  );
  const bindings = program.dispatches[index]?.bindings ?? [];
  return bindings.filter(
    (slice) => slice.buffer !== 'inputs' && !(slice.buffer === 'activations' && slice.offset >= scratch),
  );
}

async function isFinite(session: Session, slice: Slice): Promise<boolean> {
  return (await session.executor.read(slice)).every(Number.isFinite);
}
