/** The language server: an editor's documents, and the language service to answer for them. */
import { TextDocuments, type Connection } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { createWorkspace } from '../../../compiler/service/workspace.ts';
import type { Texts } from './convert.ts';
import { createFiles, pathOf, uriOf } from './files.ts';
import { serveLifetime } from './lifetime.ts';
import { createPublisher } from './publish.ts';
import { serveRequests, type Format } from './requests.ts';

export interface ServerOptions {
  /** Absent: the server does not format. */
  readonly format?: Format;
  /** Milliseconds of rest after which diagnostics are worked out. */
  readonly delay?: number;
}

/** Makes documents of texts that are not open, and keeps them: they know where their lines begin. */
function rememberDocuments(): (path: string, text: string) => TextDocument {
  const known = new Map<string, TextDocument>();
  return (path, text) => {
    const before = known.get(path);
    if (before?.getText() === text) return before;
    const document = TextDocument.create(path, 'adapter', 0, text);
    known.set(path, document);
    return document;
  };
}

/** Serves a connection until it ends. A bug answers null and is logged; it never ends the server. */
export function startServer(connection: Connection, options: ServerOptions = {}): void {
  const documents = new TextDocuments(TextDocument);
  /** URIs of open documents by path. */
  const open = new Map<string, string>();
  const opened = (path: string): TextDocument | undefined => documents.get(open.get(path) ?? '');
  const files = createFiles({ text: (path) => opened(path)?.getText(), paths: () => [...open.keys()] });
  const workspace = createWorkspace(files.host, files.specs);
  const closedDocument = rememberDocuments();
  const texts: Texts = {
    document: (path) => opened(path) ?? closedDocument(path, files.host.readFile(path) ?? ''),
    uri: (path) => open.get(path) ?? uriOf(path),
  };
  const publisher = createPublisher(connection, {
    workspace,
    texts,
    open: () => [...open.keys()],
    delay: options.delay ?? 150,
  });
  const client = serveLifetime(connection, files, publisher.soon, options.format !== undefined);
  serveRequests(connection, { documents, workspace, texts, client, format: options.format });
  documents.onDidOpen(({ document }) => open.set(pathOf(document.uri), document.uri));
  documents.onDidChangeContent(publisher.soon);
  documents.onDidSave(files.forget);
  documents.onDidClose(({ document }) => {
    open.delete(pathOf(document.uri));
    files.forget();
    publisher.soon();
  });
  documents.listen(connection);
  connection.onShutdown(publisher.stop);
  connection.listen();
}
