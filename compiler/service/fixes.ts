/** Quick fixes: the edits that diagnostics propose. */
import type { Diagnostic, Fix } from '../../grammar/diagnostic.ts';
import { diagnose } from './diagnostics.ts';
import type { Workspace } from './workspace.ts';

/** One fix and the mistake it is for. */
export interface QuickFix {
  readonly diagnostic: Diagnostic;
  readonly fix: Fix;
}

/** The fixes of mistakes that touch a range of a file and can be applied as they are. */
export const quickFixes = (
  workspace: Workspace,
  path: string,
  range: { readonly start: number; readonly end: number },
): readonly QuickFix[] =>
  diagnose(workspace, path).flatMap((diagnostic) => {
    const { span, fix } = diagnostic;
    const touches = span.file === path && span.start <= range.end && range.start <= span.end;
    return touches && fix !== undefined && fix.edits.length > 0 ? [{ diagnostic, fix }] : [];
  });
