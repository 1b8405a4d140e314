/** Requests of an editor: each to one function of the language service, and its result back. */
import {
  LSPErrorCodes,
  ResponseError,
  type Connection,
  type Range,
  type TextDocuments,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { complete } from '../../../compiler/service/completion.ts';
import { quickFixes } from '../../../compiler/service/fixes.ts';
import { folds } from '../../../compiler/service/folding.ts';
import { highlights } from '../../../compiler/service/highlights.ts';
import { hints } from '../../../compiler/service/hints.ts';
import { hover } from '../../../compiler/service/hover.ts';
import { definition, references } from '../../../compiler/service/references.ts';
import { prepareRename, rename } from '../../../compiler/service/rename.ts';
import { outline } from '../../../compiler/service/symbols.ts';
import type { Workspace } from '../../../compiler/service/workspace.ts';
import * as to from './convert.ts';
import { pathOf } from './files.ts';
import type { Client } from './lifetime.ts';

/** Formats a text; null when it cannot, as when the text is broken. */
export type Format = (text: string, path: string) => string | null | Promise<string | null>;

/** What requests are answered from. */
export interface Serving {
  readonly documents: TextDocuments<TextDocument>;
  readonly workspace: Workspace;
  readonly texts: to.Texts;
  readonly client: Client;
  readonly format: Format | undefined;
}

/** Where a request is about. */
interface At {
  readonly path: string;
  readonly document: TextDocument;
  /** The offset of its position; 0 for requests about a whole file. */
  readonly offset: number;
}

interface Placed {
  readonly textDocument: { readonly uri: string };
  readonly position?: { readonly line: number; readonly character: number };
}

type Answer = <P extends Placed, R>(
  what: string,
  make: (at: At, params: P) => R | Promise<R>,
) => (params: P) => Promise<R | null>;

/** Finds the document of a request, and keeps a bug from ending the server: it is logged, and the answer is null. */
function answering(connection: Connection, { documents }: Serving): Answer {
  return (what, make) => async (params) => {
    try {
      const document = documents.get(params.textDocument.uri);
      if (document === undefined) return null;
      const offset = params.position === undefined ? 0 : document.offsetAt(params.position);
      return await make({ path: pathOf(document.uri), document, offset }, params);
    } catch (e) {
      if (e instanceof ResponseError) throw e;
      connection.console.error(`${what}: ${describeError(e)}`);
      return null;
    }
  };
}

/** An exception with where it came from, for the log. */
export const describeError = (e: unknown): string =>
  e instanceof Error ? (e.stack ?? e.message) : String(e);

/** Registers every request. */
export function serveRequests(connection: Connection, serving: Serving): void {
  const answer = answering(connection, serving);
  serveWords(connection, serving, answer);
  serveNames(connection, serving, answer);
  serveFiles(connection, serving, answer);
}

/** What is said or proposed at a place. */
function serveWords(connection: Connection, { workspace, texts, client }: Serving, answer: Answer): void {
  connection.onHover(
    answer('hover', ({ path, offset }) => {
      const found = hover(workspace, path, offset);
      return found === null ? null : to.toHover(texts, found);
    }),
  );
  connection.onCompletion(
    answer('completion', ({ path, offset }) => {
      const found = complete(workspace, path, offset);
      return found === null ? null : to.toCompletions(texts, found, client.snippets);
    }),
  );
}

/** Where names are declared and used. */
function serveNames(connection: Connection, { workspace, texts }: Serving, answer: Answer): void {
  connection.onDefinition(
    answer('definition', ({ path, offset }) => {
      const span = definition(workspace, path, offset);
      return span === null ? null : to.toLocation(texts, span);
    }),
  );
  connection.onReferences(
    answer(
      'references',
      ({ path, offset }, { context }: Placed & { context: { includeDeclaration: boolean } }) =>
        references(workspace, path, offset)
          .filter((o) => context.includeDeclaration || !o.declares)
          .map((o) => to.toLocation(texts, o.span)),
    ),
  );
  connection.onPrepareRename(
    answer('rename', ({ path, offset }) => {
      const found = prepareRename(workspace, path, offset);
      return found === null
        ? null
        : { range: to.toRange(texts, found.span), placeholder: found.named.name.text };
    }),
  );
  connection.onRenameRequest(
    answer('rename', ({ path, offset }, { newName }: Placed & { newName: string }) => {
      const renamed = rename(workspace, path, offset, newName);
      if (renamed.ok) return to.toWorkspaceEdit(texts, renamed.edits);
      throw new ResponseError(LSPErrorCodes.RequestFailed, renamed.reason);
    }),
  );
}

/** Whole files. */
function serveFiles(connection: Connection, { workspace, texts, format }: Serving, answer: Answer): void {
  connection.onDocumentSymbol(
    answer('symbols', ({ path }) => outline(workspace, path).map((s) => to.toSymbol(texts, s))),
  );
  connection.onFoldingRanges(answer('folding', ({ path }) => folds(workspace, path).map(to.toFold)));
  connection.onCodeAction(
    answer('fixes', ({ path, document }, { range }: Placed & { range: Range }) =>
      quickFixes(workspace, path, {
        start: document.offsetAt(range.start),
        end: document.offsetAt(range.end),
      }).map((fix) => to.toCodeAction(texts, fix)),
    ),
  );
  connection.languages.inlayHint.on(
    answer('hints', ({ path, document }) => hints(workspace, path).map((h) => to.toInlayHint(document, h))),
  );
  connection.languages.semanticTokens.on(
    async (params) =>
      (await answer('tokens', ({ path, document }) =>
        to.toSemanticTokens(document, highlights(workspace, path)),
      )(params)) ?? { data: [] },
  );
  if (format !== undefined)
    connection.onDocumentFormatting(
      answer('formatting', async ({ path, document }) => {
        const text = await format(document.getText(), path);
        return text === null ? null : to.toTextEdits(document, text);
      }),
    );
}
