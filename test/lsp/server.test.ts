/** `graft lsp` as an editor sees it: a process of its own, spoken to by vscode-languageserver's client library. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as lsp from 'vscode-languageserver/node';
import { bases } from '../service/marks.ts';
import { startHere, startProcess, uriIn, type Client } from './client.ts';

const t = suite('language server');

const folder = mkdtempSync(join(tmpdir(), 'graft-lsp-'));
t.after(() => rmSync(folder, { recursive: true }));

const main = uriIn(folder, 'main.adapter');
const params = uriIn(folder, 'params.adapter');
const text = `import "bases.adapter"
import "params.adapter"

/// Prompts in the late layers.
adapter V1 on llama7b {
  prompt words on layers[late] { length = 10 }
  task instruct on instructions trains words
}

data instructions = alpaca("alpaca.json")
recipe r for V1 { epochs = 5 }
`;
writeFileSync(join(folder, 'bases.adapter'), bases);
writeFileSync(join(folder, 'params.adapter'), 'param late = last 31\n');
writeFileSync(
  join(folder, 'other.adapter'),
  'import "params.adapter"\nimport "bases.adapter"\nadapter O on llama7b { prompt p on layers[late] { length = 1 } }\n',
);

const codes = (found: readonly lsp.Diagnostic[]): unknown[] => found.map((d) => d.code);

t('a session from the beginning to the end', async () => {
  const client = await startProcess(folder);
  const { connection } = client;
  assert.is(client.initialized.capabilities.documentFormattingProvider, true);
  await client.open(main, text);
  assert.equal(await client.diagnostics(main), []);
  await answersWords(client);
  await answersNames(client);
  await answersFiles(client);
  await followsEdits(client);
  const ended = once(client.process, 'exit');
  await connection.sendRequest(lsp.ShutdownRequest.type);
  await connection.sendNotification(lsp.ExitNotification.type);
  assert.equal(await ended, [0, null]);
});

async function answersWords({ connection, at }: Client): Promise<void> {
  const hover = await connection.sendRequest(lsp.HoverRequest.type, at(main, 'words on', 2));
  assert.ok(hover !== null && lsp.MarkupContent.is(hover.contents));
  assert.match(hover.contents.value, /layers 1\.\.31 \(31 of 32\)/);
  assert.equal(hover.range, { start: { line: 5, character: 9 }, end: { line: 5, character: 14 } });
  const completion = await connection.sendRequest(lsp.CompletionRequest.type, at(main, 'length = 10', 0));
  const gate = (completion as lsp.CompletionItem[]).find((i) => i.label === 'gate');
  assert.is(gate?.insertTextFormat, lsp.InsertTextFormat.Snippet);
  assert.is(gate?.textEdit?.newText, 'gate = $1');
}

async function answersNames({ connection, at }: Client): Promise<void> {
  const late = at(main, 'late]', 1);
  const where = { uri: params, range: { start: { line: 0, character: 6 }, end: { line: 0, character: 10 } } };
  assert.equal(await connection.sendRequest(lsp.DefinitionRequest.type, late), where);
  const uses = await connection.sendRequest(lsp.ReferencesRequest.type, {
    ...late,
    context: { includeDeclaration: false },
  });
  assert.equal(uses?.map((l) => l.uri).sort(), [main, uriIn(folder, 'other.adapter')]);
  const prepared = await connection.sendRequest(lsp.PrepareRenameRequest.type, late);
  assert.is((prepared as { placeholder: string }).placeholder, 'late');
  const edit = await connection.sendRequest(lsp.RenameRequest.type, { ...late, newName: 'upper' });
  assert.equal(
    Object.keys(edit?.changes ?? {}).sort(),
    [main, uriIn(folder, 'other.adapter'), params].sort(),
  );
  const refused = await connection.sendRequest(lsp.RenameRequest.type, { ...late, newName: 'adapter' }).then(
    () => null,
    (e: unknown) => e,
  );
  assert.match(String(refused), /`adapter` is a word of the language/);
}

async function answersFiles({ connection }: Client): Promise<void> {
  const textDocument = { uri: main };
  const symbols = await connection.sendRequest(lsp.DocumentSymbolRequest.type, { textDocument });
  assert.equal(
    symbols?.map((s) => s.name),
    ['V1', 'instructions', 'r'],
  );
  const folds = await connection.sendRequest(lsp.FoldingRangeRequest.type, { textDocument });
  assert.equal(folds, [
    { startLine: 0, endLine: 1, kind: 'imports' },
    { startLine: 4, endLine: 6 },
  ]);
  const all = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
  const hints = await connection.sendRequest(lsp.InlayHintRequest.type, { textDocument, range: all });
  assert.equal(
    hints?.map((h) => [h.label, h.position]),
    [['+1,270,752', { line: 5, character: 46 }]],
  );
  const tokens = await connection.sendRequest(lsp.SemanticTokensRequest.type, { textDocument });
  assert.equal(tokens?.data.slice(0, 10), [0, 0, 6, 0, 0, 0, 7, 15, 2, 0]);
}

async function followsEdits(client: Client): Promise<void> {
  const { connection } = client;
  await client.edit(main, 'prompt words', 'promt words');
  const wrong = await client.diagnostics(main, (found) => found.length > 0);
  assert.equal(codes(wrong), ['A103']);
  const [action] = (await connection.sendRequest(lsp.CodeActionRequest.type, {
    textDocument: { uri: main },
    range: wrong[0]?.range ?? { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
    context: { diagnostics: [...wrong] },
  })) as lsp.CodeAction[];
  assert.is(action?.title, 'did you mean `prompt`?');
  assert.is(action?.edit?.changes?.[main]?.[0]?.newText, 'prompt');
  await client.edit(main, 'promt words', 'prompt words');
  assert.equal(await client.diagnostics(main, (found) => found.length === 0), []);
  // What an open document says counts, not what is on the disk; and a change shows where it is imported.
  await client.open(params, 'param late = last 33\n');
  assert.equal(codes(await client.diagnostics(params, (found) => found.length > 0)), ['A105']);
  await client.edit(params, 'last 33', 'last 3');
  assert.equal(await client.diagnostics(params, (found) => found.length === 0), []);
}

t('it ends with its input', async () => {
  const client = await startProcess(folder);
  const ended = once(client.process, 'exit');
  client.process.stdin?.end();
  assert.equal(await ended, [1, null]);
});

t('a formatter is plugged in; its edit is as small as it can be', async () => {
  const client = await startHere(folder, {
    format: (source) => (source.includes('broken') ? null : source.replace(/ +/g, ' ')),
  });
  assert.is(client.initialized.capabilities.documentFormattingProvider, true);
  const ask = (uri: string) =>
    client.connection.sendRequest(lsp.DocumentFormattingRequest.type, {
      textDocument: { uri },
      options: { tabSize: 2, insertSpaces: true },
    });
  await client.open(main, 'param a   = 1\n');
  assert.equal(await ask(main), [
    { range: { start: { line: 0, character: 8 }, end: { line: 0, character: 10 } }, newText: '' },
  ]);
  await client.open(params, 'broken  {');
  assert.is(await ask(params), null);
});

t('a bug is logged and answers null, and the server goes on', async () => {
  const client = await startHere(folder, {
    format: () => {
      throw new Error('boom');
    },
  });
  await client.open(main, text);
  const options = { tabSize: 2, insertSpaces: true };
  const answer = await client.connection.sendRequest(lsp.DocumentFormattingRequest.type, {
    textDocument: { uri: main },
    options,
  });
  assert.is(answer, null);
  assert.match(client.logged.join('\n'), /formatting: Error: boom/);
  assert.ok(await client.connection.sendRequest(lsp.HoverRequest.type, client.at(main, 'words')));
});

t('documents that are not open, places that are not there, files that were never saved', async () => {
  const client = await startHere(folder);
  const hover = (uri: string, line: number) =>
    client.connection.sendRequest(lsp.HoverRequest.type, {
      textDocument: { uri },
      position: { line, character: 500 },
    });
  assert.is(await hover(uriIn(folder, 'nowhere.adapter'), 0), null);
  await client.open(main, text);
  assert.is(await hover(main, 1000), null);
  const untitled = 'untitled:Untitled-1';
  await client.open(
    untitled,
    'import "bases.adapter"\nadapter X on llama7b { prompt p on layers[99] { length = 1 } }',
  );
  assert.equal(codes(await client.diagnostics(untitled)), ['A105']);
});

t('diagnostics of an import that is not open are sent, and taken back when nobody imports it', async () => {
  const client = await startHere(folder);
  const broken = uriIn(folder, 'broken.adapter');
  writeFileSync(join(folder, 'broken.adapter'), 'param a =\n');
  await client.open(main, 'import "broken.adapter"\n');
  assert.equal(codes(await client.diagnostics(broken)), ['A003']);
  await client.edit(main, 'import "broken.adapter"', '');
  assert.equal(await client.diagnostics(broken, (found) => found.length === 0), []);
});

t.run();
