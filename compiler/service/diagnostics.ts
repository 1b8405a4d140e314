/** What is wrong with a spec. */
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import type { Workspace } from './workspace.ts';

/** Everything the checker says about a spec, in its own file and in those it imports. */
export const diagnose = (workspace: Workspace, path: string): readonly Diagnostic[] =>
  workspace.analysis(path)?.diagnostics() ?? [];
