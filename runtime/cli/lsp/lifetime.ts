/** The beginning of a connection: what the editor can, what the server can, and which folders are open. */
import {
  CodeActionKind,
  DidChangeWatchedFilesNotification,
  TextDocumentSyncKind,
  type Connection,
  type InitializeParams,
  type ServerCapabilities,
} from 'vscode-languageserver/node';
import { highlightModifiers, highlightTypes } from '../../../compiler/service/highlights.ts';
import { pathOf, type Files } from './files.ts';

/** What the editor can. */
export interface Client {
  /** Proposals may have places to go on typing. */
  snippets: boolean;
  /** It tells of files that change on the disk, when it is asked to. */
  watches: boolean;
  folders: boolean;
}

/** Answers `initialize`, and keeps the open folders and the disk in view. `changed` is called when they change. */
export function serveLifetime(
  connection: Connection,
  files: Files,
  changed: () => void,
  formats: boolean,
): Client {
  const client: Client = { snippets: false, watches: false, folders: false };
  connection.onInitialize((params) => {
    const { textDocument, workspace } = params.capabilities;
    client.snippets = textDocument?.completion?.completionItem?.snippetSupport === true;
    client.watches = workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
    client.folders = workspace?.workspaceFolders === true;
    files.setFolders(foldersOf(params));
    return { capabilities: capabilitiesOf(formats), serverInfo: { name: 'graft' } };
  });
  connection.onInitialized(() => {
    if (client.watches)
      void connection.client.register(DidChangeWatchedFilesNotification.type, {
        watchers: [{ globPattern: '**/*.adapter' }],
      });
    if (client.folders)
      connection.workspace.onDidChangeWorkspaceFolders(() => {
        void connection.workspace.getWorkspaceFolders().then((folders) => {
          files.setFolders((folders ?? []).map((f) => pathOf(f.uri)));
          files.forget();
        });
      });
  });
  connection.onDidChangeWatchedFiles(() => {
    files.forget();
    changed();
  });
  return client;
}

function foldersOf({ workspaceFolders, rootUri }: InitializeParams): string[] {
  const uris = workspaceFolders?.map((f) => f.uri) ?? (typeof rootUri === 'string' ? [rootUri] : []);
  return uris.map(pathOf);
}

const capabilitiesOf = (formats: boolean): ServerCapabilities => ({
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
  hoverProvider: true,
  completionProvider: { triggerCharacters: ['.', '[', '{', '('] },
  definitionProvider: true,
  referencesProvider: true,
  renameProvider: { prepareProvider: true },
  documentSymbolProvider: true,
  foldingRangeProvider: true,
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
  inlayHintProvider: true,
  semanticTokensProvider: {
    legend: { tokenTypes: [...highlightTypes], tokenModifiers: [...highlightModifiers] },
    full: true,
  },
  documentFormattingProvider: formats,
  workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
});
