/** Complaints that are only the echo of another mistake. */
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { positionOf } from '../../grammar/source.ts';

/** What is often said only because the parser broke off on the line: what it lacks, and what is left over behind. */
const followUps = ['A101', 'A118', 'A124', 'A127', 'A130'];
const leftOvers = ['A103', 'A114', 'A115', 'A117', 'A119', 'A132'];

/** The diagnostics without those that another mistake on their line, or a file that is not there, explains. */
export function withoutFollowUps(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
): readonly Diagnostic[] {
  const line = ({ span }: Diagnostic): string =>
    `${span.file}:${positionOf(sources.get(span.file) ?? '', span.start).line}`;
  const broken = new Map(
    diagnostics
      .filter((d) => ['A003', 'A005', 'A006'].includes(d.code))
      .map((d) => [line(d), d.span.start] as const),
  );
  // What a file that is not there declares is missed everywhere; a name that is nearly another one is a mistake of its own.
  const unread = diagnostics.some((d) => d.code === 'A107');
  return diagnostics.filter((d) => {
    const meansAnother = (d.fix?.edits.length ?? 0) > 0;
    if (unread && !meansAnother && ['A102', 'A111', 'A115'].includes(d.code)) return false;
    const from = followUps.includes(d.code)
      ? 0
      : leftOvers.includes(d.code)
        ? broken.get(line(d))
        : undefined;
    return from === undefined || !broken.has(line(d)) || d.span.start < from;
  });
}
