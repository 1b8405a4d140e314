/** The VS Code extension: its snippets are right, and what is packed works by itself. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as lsp from 'vscode-languageserver/node';
import { checkSpec } from '../../compiler/check/check.ts';
import { memoryHost } from '../../compiler/host.ts';
import { renderDiagnostic } from '../../grammar/render.ts';
import { stage } from '../../grammar/vscode/pack.ts';
import { connect } from '../lsp/client.ts';
import { bases } from '../service/marks.ts';

const t = suite('VS Code extension');
const source = join(import.meta.dirname, '../../grammar/vscode');

interface Snippet {
  readonly body: readonly string[];
}

const snippets = JSON.parse(readFileSync(join(source, 'snippets/adapter.json'), 'utf8')) as Record<
  string,
  Snippet
>;

/** A snippet as it is when nothing is changed in it: `${1:words}`, `${2|alpaca,text|}`. */
const expand = ({ body }: Snippet): string =>
  body
    .join('\n')
    .replace(/\$\{\d+:([^}]*(?:\{[^}]*\})?[^}]*)\}/g, '$1')
    .replace(/\$\{\d+\|([^,|]+)[^|]*\|\}/g, '$1');

const of = (name: string): string => expand(snippets[name] ?? { body: [] });

t('the snippets together are a spec without mistakes', () => {
  const parts = ['Adaption prompt', 'LoRA', 'Image prompt'].map((name) =>
    of(name).replace('prompt words', 'prompt more'),
  );
  const adapter = of('Adapter')
    .replace('words }', 'words }')
    .replace(
      '\n\n  task',
      `\n${parts.join('\n')}\n${of('Task').replace('instruct', 'other').replace('words', 'more')}\n  task`,
    );
  const text = [
    'import "bases.adapter"',
    'param late = last 31',
    of('Base'),
    adapter,
    of('Data'),
    of('Recipe'),
    of('Sweep'),
  ].join('\n\n');
  const { diagnostics, sources } = checkSpec(
    'x.adapter',
    memoryHost({ 'x.adapter': text, 'bases.adapter': bases }),
  );
  const errors = diagnostics.filter((d) => d.severity === 'error');
  assert.equal(
    errors.map((d) => renderDiagnostic(d, sources)),
    [],
  );
  assert.not.match(text, /\$/);
});

t('every file that the manifest names is there', () => {
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as {
    contributes: Record<'languages' | 'grammars' | 'snippets', Record<string, unknown>[]>;
  };
  const { languages, grammars, snippets: listed } = manifest.contributes;
  const paths = [languages[0]?.['configuration'], grammars[0]?.['path'], listed[0]?.['path']];
  for (const path of paths)
    assert.ok(typeof path === 'string' && existsSync(join(source, path)), String(path));
  JSON.parse(readFileSync(join(source, 'language-configuration.json'), 'utf8'));
});

t('the bundled server serves, with nothing beside it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-vscode-'));
  try {
    await stage(folder);
    assert.ok(existsSync(join(folder, 'client.cjs')));
    const child = spawn(process.execPath, [join(folder, 'server.cjs'), '--stdio', '--clientProcessId=1'], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const client = await connect(child.stdout, child.stdin, folder);
    const uri = 'untitled:x';
    await client.open(uri, 'adapter X on nobody {}');
    assert.equal(
      (await client.diagnostics(uri)).map((d) => d.code),
      ['A102'],
    );
    const tidy = 'untitled:y';
    await client.open(tidy, 'param  late=last 4 in layers\n');
    const edits = await client.connection.sendRequest(lsp.DocumentFormattingRequest.type, {
      textDocument: { uri: tidy },
      options: { tabSize: 2, insertSpaces: true },
    });
    assert.equal(
      edits?.map((edit) => edit.newText),
      ['late = '],
    );
    await client.connection.sendRequest(lsp.ShutdownRequest.type);
    await client.connection.sendNotification(lsp.ExitNotification.type);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

t.run();
