/** A client of the language server, as an editor has one: vscode-languageserver's protocol over two streams. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import {
  createConnection,
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  InitializedNotification,
  InitializeRequest,
  LogMessageNotification,
  PublishDiagnosticsNotification,
  RegistrationRequest,
  StreamMessageReader,
  StreamMessageWriter,
  type ClientCapabilities,
  type Diagnostic,
  type InitializeResult,
  type Position,
  type ProtocolConnection,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { startServer, type ServerOptions } from '../../runtime/cli/lsp/server.ts';

const root = join(import.meta.dirname, '../..');

export interface Client {
  readonly connection: ProtocolConnection;
  readonly initialized: InitializeResult;
  /** What the server logged. */
  readonly logged: string[];
  /** The newest diagnostics of a file; waits for some when there are none, or none that fulfil `until`. */
  readonly diagnostics: (
    uri: string,
    until?: (found: readonly Diagnostic[]) => boolean,
  ) => Promise<readonly Diagnostic[]>;
  readonly open: (uri: string, text: string) => Promise<void>;
  /** Replaces the first `old` in an open document, as an incremental change. */
  readonly edit: (uri: string, old: string, text: string) => Promise<void>;
  /** Where a text begins in an open document, some characters on. */
  readonly at: (
    uri: string,
    text: string,
    plus?: number,
  ) => { textDocument: { uri: string }; position: Position };
}

export const uriIn = (folder: string, file: string): string => pathToFileURL(join(folder, file)).href;

const capabilities: ClientCapabilities = {
  workspace: { workspaceFolders: true, didChangeWatchedFiles: { dynamicRegistration: true } },
  textDocument: { completion: { completionItem: { snippetSupport: true } } },
};

/** `graft lsp` in a process of its own. */
export async function startProcess(folder: string): Promise<Client & { readonly process: ChildProcess }> {
  const args = ['--import', 'tsx', join(root, 'runtime/cli/main.ts'), 'lsp', '--stdio'];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  return { ...(await connect(child.stdout, child.stdin, folder)), process: child };
}

/** A server in this process. */
export async function startHere(folder: string, options: ServerOptions = {}): Promise<Client> {
  const [there, back] = [new PassThrough(), new PassThrough()];
  startServer(createConnection(new StreamMessageReader(there), new StreamMessageWriter(back)), {
    delay: 5,
    ...options,
  });
  return connect(back, there, folder);
}

/** Begins a session over two streams. */
export async function connect(from: Readable, to: Writable, folder: string): Promise<Client> {
  const connection = createProtocolConnection(new StreamMessageReader(from), new StreamMessageWriter(to));
  const logged: string[] = [];
  const found = new Map<string, readonly Diagnostic[]>();
  const waiting = new Set<() => void>();
  connection.onNotification(LogMessageNotification.type, ({ message }) => void logged.push(message));
  connection.onRequest(RegistrationRequest.type, () => undefined);
  connection.onNotification(PublishDiagnosticsNotification.type, ({ uri, diagnostics }) => {
    found.set(uri, diagnostics);
    for (const look of waiting) look();
  });
  connection.listen();
  const initialized = await connection.sendRequest(InitializeRequest.type, {
    processId: null,
    rootUri: null,
    workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'specs' }],
    capabilities,
  });
  await connection.sendNotification(InitializedNotification.type, {});
  const documents = new Map<string, TextDocument>();
  return {
    connection,
    initialized,
    logged,
    diagnostics: (uri, until = () => true) =>
      new Promise((resolve) => {
        const look = (): void => {
          const now = found.get(uri);
          if (now === undefined || !until(now)) return;
          waiting.delete(look);
          resolve(now);
        };
        waiting.add(look);
        look();
      }),
    open: async (uri, text) => {
      documents.set(uri, TextDocument.create(uri, 'adapter', 1, text));
      const textDocument = { uri, languageId: 'adapter', version: 1, text };
      await connection.sendNotification(DidOpenTextDocumentNotification.type, { textDocument });
    },
    edit: async (uri, old, text) => {
      const document = documents.get(uri) ?? TextDocument.create(uri, 'adapter', 0, '');
      const start = document.getText().indexOf(old);
      const range = { start: document.positionAt(start), end: document.positionAt(start + old.length) };
      const contentChanges = [{ range, text }];
      const version = document.version + 1;
      documents.set(uri, TextDocument.update(document, contentChanges, version));
      await connection.sendNotification(DidChangeTextDocumentNotification.type, {
        textDocument: { uri, version },
        contentChanges,
      });
    },
    at: (uri, text, plus = 0) => {
      const document = documents.get(uri) ?? TextDocument.create(uri, 'adapter', 0, '');
      return {
        textDocument: { uri },
        position: document.positionAt(document.getText().indexOf(text) + plus),
      };
    },
  };
}
