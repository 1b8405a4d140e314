/** Results of the language service in the shapes of the language server protocol. */
import {
  CodeActionKind,
  CompletionItemKind,
  DiagnosticSeverity,
  FoldingRangeKind,
  InsertTextFormat,
  MarkupKind,
  SemanticTokensBuilder,
  SymbolKind,
  type CodeAction,
  type CompletionItem,
  type Diagnostic,
  type DocumentSymbol,
  type FoldingRange,
  type Hover,
  type InlayHint,
  type Location,
  type Range,
  type SemanticTokens,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Completion } from '../../../compiler/service/completion.ts';
import type { QuickFix } from '../../../compiler/service/fixes.ts';
import type { Fold } from '../../../compiler/service/folding.ts';
import { highlightModifiers, highlightTypes, type Highlight } from '../../../compiler/service/highlights.ts';
import type { Hint } from '../../../compiler/service/hints.ts';
import type { Hover as FoundHover } from '../../../compiler/service/hover.ts';
import type { Proposal } from '../../../compiler/service/proposals.ts';
import type { OutlineSymbol } from '../../../compiler/service/symbols.ts';
import type { Diagnostic as Found } from '../../../grammar/diagnostic.ts';
import type { Span } from '../../../grammar/source.ts';

/** A text that knows where its lines begin, by path; and the URI under which the editor knows the path. */
export interface Texts {
  readonly document: (path: string) => TextDocument;
  readonly uri: (path: string) => string;
}

export function toRange(texts: Texts, { file, start, end }: Span): Range {
  const document = texts.document(file);
  return { start: document.positionAt(start), end: document.positionAt(end) };
}

export const toLocation = (texts: Texts, span: Span): Location => ({
  uri: texts.uri(span.file),
  range: toRange(texts, span),
});

export function toDiagnostic(texts: Texts, d: Found): Diagnostic {
  const notes = [
    ...d.notes.map((n) => `note: ${n}`),
    ...(d.fix === undefined ? [] : [`help: ${d.fix.message}`]),
  ];
  return {
    range: toRange(texts, d.span),
    severity: d.severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code: d.code,
    source: 'graft',
    message: [d.label === '' ? d.message : `${d.message}: ${d.label}`, ...notes].join('\n'),
    relatedInformation: d.related.map(({ span, label }) => ({
      location: toLocation(texts, span),
      message: label,
    })),
  };
}

export const toHover = (texts: Texts, { span, text }: FoundHover): Hover => ({
  range: toRange(texts, span),
  contents: { kind: MarkupKind.Markdown, value: text },
});

const proposalKinds: Readonly<Record<Proposal['kind'], CompletionItemKind>> = {
  keyword: CompletionItemKind.Keyword,
  kind: CompletionItemKind.Class,
  attribute: CompletionItemKind.Property,
  value: CompletionItemKind.EnumMember,
  place: CompletionItemKind.Field,
  format: CompletionItemKind.Function,
  base: CompletionItemKind.Module,
  param: CompletionItemKind.Variable,
  data: CompletionItemKind.File,
  adapter: CompletionItemKind.Class,
  recipe: CompletionItemKind.Function,
  sweep: CompletionItemKind.Function,
  part: CompletionItemKind.Variable,
  group: CompletionItemKind.Variable,
  task: CompletionItemKind.Function,
  expert: CompletionItemKind.Function,
};

/** `snippets`: whether the editor understands them; otherwise what is to be filled in is left away. */
export function toCompletions(texts: Texts, found: Completion, snippets: boolean): CompletionItem[] {
  const range = toRange(texts, found.span);
  return found.proposals.map((p, i) => ({
    label: p.label,
    kind: proposalKinds[p.kind],
    detail: p.detail,
    documentation: { kind: MarkupKind.Markdown, value: p.doc },
    sortText: String(i).padStart(4, '0'),
    insertTextFormat:
      snippets && p.snippet !== undefined ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
    textEdit: { range, newText: snippets ? (p.snippet ?? p.label) : p.label },
  }));
}

const symbolKinds: Readonly<Record<OutlineSymbol['kind'], SymbolKind>> = {
  base: SymbolKind.Module,
  param: SymbolKind.Constant,
  data: SymbolKind.File,
  adapter: SymbolKind.Class,
  recipe: SymbolKind.Function,
  sweep: SymbolKind.Function,
  part: SymbolKind.Field,
  group: SymbolKind.Array,
  task: SymbolKind.Method,
  expert: SymbolKind.Method,
  override: SymbolKind.Field,
  drop: SymbolKind.Null,
};

export const toSymbol = (texts: Texts, s: OutlineSymbol): DocumentSymbol => ({
  name: s.name,
  detail: s.detail,
  kind: symbolKinds[s.kind],
  range: toRange(texts, s.span),
  selectionRange: toRange(texts, s.at),
  children: s.children.map((child) => toSymbol(texts, child)),
});

const foldKinds = { block: undefined, comment: FoldingRangeKind.Comment, imports: FoldingRangeKind.Imports };

export function toFold({ from, to, kind }: Fold): FoldingRange {
  const its = foldKinds[kind];
  return { startLine: from, endLine: to, ...(its === undefined ? {} : { kind: its }) };
}

export const toInlayHint = (document: TextDocument, { offset, label, tooltip }: Hint): InlayHint => ({
  position: document.positionAt(offset),
  label,
  paddingLeft: true,
  tooltip: { kind: MarkupKind.Markdown, value: tooltip },
});

export function toSemanticTokens(document: TextDocument, found: readonly Highlight[]): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  for (const { start, length, type, modifier } of found) {
    const { line, character } = document.positionAt(start);
    const bits = modifier === null ? 0 : 1 << highlightModifiers.indexOf(modifier);
    builder.push(line, character, length, highlightTypes.indexOf(type), bits);
  }
  return builder.build();
}

/** Edits in any number of files. */
export function toWorkspaceEdit(
  texts: Texts,
  edits: readonly { readonly span: Span; readonly text: string }[],
): WorkspaceEdit {
  const changes: Record<string, TextEdit[]> = {};
  for (const { span, text } of edits)
    (changes[texts.uri(span.file)] ??= []).push({ range: toRange(texts, span), newText: text });
  return { changes };
}

export const toCodeAction = (texts: Texts, { diagnostic, fix }: QuickFix): CodeAction => ({
  title: fix.message,
  kind: CodeActionKind.QuickFix,
  diagnostics: [toDiagnostic(texts, diagnostic)],
  isPreferred: true,
  edit: toWorkspaceEdit(texts, fix.edits),
});

/** What changes a text into another: everything between what they begin and end with alike. */
export function toTextEdits(document: TextDocument, text: string): TextEdit[] {
  const old = document.getText();
  if (old === text) return [];
  const most = Math.min(old.length, text.length);
  let start = 0;
  while (start < most && old[start] === text[start]) start++;
  let same = 0;
  while (same < most - start && old[old.length - 1 - same] === text[text.length - 1 - same]) same++;
  const range = { start: document.positionAt(start), end: document.positionAt(old.length - same) };
  return [{ range, newText: text.slice(start, text.length - same) }];
}
