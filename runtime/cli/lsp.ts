/** `graft lsp`: the language server, on standard input and output. */
import { parseArgs } from 'node:util';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import type { Command } from './command.ts';
import { formatText } from './formatting.ts';
import type { Format } from './lsp/requests.ts';
import { startServer } from './lsp/server.ts';

/** As `graft fmt` does, without a project's configuration; a text with a mistake in its syntax is left alone. */
const format: Format = async (text) => {
  try {
    return await formatText(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

export const command: Command = {
  name: 'lsp',
  summary: 'serve editors: diagnostics, hovers, completion, renaming',
  usage: `usage: graft lsp [--stdio]

  Speaks the language server protocol on standard input and output until the editor ends it. docs/editor.md says how
  editors are told to start it.

  --stdio   the only way to connect, and the default`,
  async run(argv) {
    // Editors name their process, so that the server ends with them; vscode-languageserver reads it by itself.
    parseArgs({
      args: [...argv],
      options: { stdio: { type: 'boolean' }, clientProcessId: { type: 'string' } },
    });
    // Standard output belongs to the protocol.
    console.log = console.error;
    startServer(createConnection(ProposedFeatures.all, process.stdin, process.stdout), { format });
    // The connection ends the process.
    return new Promise<number>(() => undefined);
  },
};
