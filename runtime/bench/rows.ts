/** From timings to the rows of the report. */
import type { Measured, Timing } from './measure.ts';
import { agree, type Operation } from './ops.ts';

/** One comparison, as `--json` prints it. Without a peer `agrees` compares with the float64 reference. */
export interface Row {
  readonly op: string;
  /** `jax-js`, `tfjs`, or `ours:full`: our own step that trains everything. */
  readonly peer: string | null;
  readonly ours_ms: number;
  readonly peer_ms: number | null;
  /** Our time as a share of the peer's. */
  readonly ratio: number | null;
  readonly agrees: boolean;
}

/** What the text report says beyond the row. */
export interface Line extends Row {
  readonly oursFirstMs: number;
  readonly peerFirstMs: number | null;
  /** The largest ratio we want on a software device. */
  readonly target: number | null;
}

const PARTIAL_STEP = 'ours:full';

/** Rows of one measurement; `reference` is asked only where there is no peer to compare with. */
export function linesOf(
  { timings, failures }: Measured,
  reference: (op: Operation) => ArrayLike<number>,
): Line[] {
  const ours = timings.filter((timing) => timing.side === 'ours');
  const lines = ours.flatMap((our) => {
    const peers = timings.filter((timing) => timing.side !== 'ours' && timing.op === our.op);
    const failed = failures.filter((failure) => failure.op === our.op);
    if (peers.length + failed.length === 0) return [alone(our, agree(our.op, our.values, reference(our.op)))];
    return [
      ...peers.map((peer) => compare(our, peer, peer.side, agree(our.op, our.values, peer.values))),
      ...failed.map((failure) => ({ ...alone(our, false), peer: failure.side })),
    ];
  });
  const steps = (trains: string) => ours.find(({ op }) => op.kind === 'block' && op.trains === trains);
  const [partial, full] = [steps('peft'), steps('full')];
  if (!partial || !full) return lines;
  // Both start with scales of 1 and biases of 0, so their first losses are the same and later ones are not.
  return [
    ...lines,
    compare(partial, full, PARTIAL_STEP, agree(full.op, partial.values.slice(0, 1), full.values.slice(0, 1))),
  ];
}

function alone(our: Timing, agrees: boolean): Line {
  const none = { peer: null, peer_ms: null, ratio: null, peerFirstMs: null, target: null };
  return { op: our.op.name, ...none, ours_ms: our.ms, agrees, oursFirstMs: our.firstMs };
}

function compare(our: Timing, peer: Timing, name: string, agrees: boolean): Line {
  return {
    ...{ op: our.op.name, peer: name, ours_ms: our.ms, peer_ms: peer.ms, ratio: our.ms / peer.ms, agrees },
    ...{ oursFirstMs: our.firstMs, peerFirstMs: peer.firstMs, target: targetOf(our.op, name) },
  };
}

/** A row whose target is met for both peers meets it for the better one. */
function targetOf(op: Operation, peer: string): number | null {
  if (peer === PARTIAL_STEP) return 0.75;
  switch (op.kind) {
    case 'matmul':
      return peer === 'jax-js' && op.m === op.n ? 0.25 : null;
    case 'softmax':
    case 'rmsnorm':
      return 0.25;
    case 'block':
      return op.trains === 'peft' ? 0.25 : null;
  }
}

export function jsonOf(lines: readonly Line[]): string {
  const rows = lines.map(({ op, peer, ours_ms, peer_ms, ratio, agrees }): Row => ({
    op,
    peer,
    ours_ms,
    peer_ms,
    ratio,
    agrees,
  }));
  return JSON.stringify(rows, null, 2);
}

const number = (x: number | null, digits: number): string => (x === null ? '-' : x.toFixed(digits));

export function tableOf(lines: readonly Line[]): string {
  const head = ['op', 'peer', 'ours ms', 'peer ms', 'ratio', 'target', 'agrees', 'ours first', 'peer first'];
  const body = lines.map((line) => [
    ...[line.op, line.peer ?? '-', number(line.ours_ms, 3), number(line.peer_ms, 3), number(line.ratio, 3)],
    ...[verdict(line), line.agrees ? 'yes' : 'NO', number(line.oursFirstMs, 0), number(line.peerFirstMs, 0)],
  ]);
  const widths = head.map((title, i) =>
    Math.max(title.length, ...body.map((cells) => cells[i]?.length ?? 0)),
  );
  const show = (cells: readonly string[]) =>
    cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  return [head, ...body].map(show).join('\n');
}

function verdict({ target, ratio }: Line): string {
  if (target === null || ratio === null) return '-';
  return `${ratio <= target ? 'met' : 'MISSED'} ${target}`;
}

/** Speed is reported, never judged; a wrong result is a failure. */
export const allAgree = (lines: readonly Line[]): boolean => lines.every((line) => line.agrees);
