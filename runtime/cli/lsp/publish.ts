/** Diagnostics of all open documents, sent when they are others than before. */
import type { Connection, Diagnostic } from 'vscode-languageserver/node';
import { diagnose } from '../../../compiler/service/diagnostics.ts';
import type { Analysis, Workspace } from '../../../compiler/service/workspace.ts';
import { sortDiagnostics, type Diagnostic as Found } from '../../../grammar/diagnostic.ts';
import { toDiagnostic, type Texts } from './convert.ts';
import { describeError } from './requests.ts';

export interface Publisher {
  /** Checks every open document soon, once however often it is called. */
  readonly soon: () => void;
  readonly stop: () => void;
}

/** What is checked, and how long after a change, in milliseconds. */
export interface Checking {
  readonly workspace: Workspace;
  readonly texts: Texts;
  /** Paths of the open documents. */
  readonly open: () => readonly string[];
  readonly delay: number;
}

/**
 * Each open document is checked as a spec of its own. A file that several of them import gets what all of them say
 * about it.
 */
export function createPublisher(
  connection: Connection,
  { workspace, texts, open, delay }: Checking,
): Publisher {
  const sent = new Map<string, string>();
  const known = new Map<string, { readonly of: Analysis | null; readonly found: readonly Found[] }>();
  let timer: NodeJS.Timeout | undefined;

  const foundIn = (path: string): readonly Found[] => {
    const analysis = workspace.analysis(path);
    const before = known.get(path);
    if (before?.of === analysis) return before.found;
    const found = diagnose(workspace, path);
    known.set(path, { of: analysis, found });
    return found;
  };
  const publish = (): void => {
    const files = new Map<string, Found[]>(open().map((path) => [path, []]));
    for (const path of open())
      for (const d of foundIn(path)) files.set(d.span.file, [...(files.get(d.span.file) ?? []), d]);
    for (const path of new Set([...files.keys(), ...sent.keys()]))
      send(
        path,
        sortDiagnostics(files.get(path) ?? []).map((d) => toDiagnostic(texts, d)),
      );
  };
  const send = (path: string, diagnostics: readonly Diagnostic[]): void => {
    const text = JSON.stringify(diagnostics);
    if (sent.get(path) === text) return;
    if (diagnostics.length === 0 && !open().includes(path)) sent.delete(path);
    else sent.set(path, text);
    void connection.sendDiagnostics({ uri: texts.uri(path), diagnostics: [...diagnostics] });
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      try {
        publish();
      } catch (e) {
        connection.console.error(`diagnostics: ${describeError(e)}`);
      }
    }, delay);
  };
  return { soon, stop: () => clearTimeout(timer) };
}
