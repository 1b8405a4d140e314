/** The VS Code extension: starts the language server that is packed beside it. */
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';

let client: LanguageClient | undefined;

/** Called by VS Code when the first `.adapter` file is opened. */
export async function activate(context: { asAbsolutePath(path: string): string }): Promise<void> {
  const server = { module: context.asAbsolutePath('server.cjs'), transport: TransportKind.stdio };
  client = new LanguageClient('graft', 'Graft', server, { documentSelector: [{ language: 'adapter' }] });
  await client.start();
}

/** Called by VS Code when it closes. */
export const deactivate = (): Promise<void> | undefined => client?.stop();
