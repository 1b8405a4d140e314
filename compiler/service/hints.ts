/** Inlay hints: how many parameters each part adds, or makes trainable, at the end of its line. */
import type { Item } from '../../grammar/ast.ts';
import type { Subject } from '../check/check.ts';
import { figure } from '../describe/base.ts';
import { partSize } from './describe-names.ts';
import { ownFile, type Analysis, type Workspace } from './workspace.ts';

export interface Hint {
  readonly offset: number;
  readonly label: string;
  readonly tooltip: string;
}

/** The hints of a file's own adapters. */
export function hints(workspace: Workspace, path: string): readonly Hint[] {
  const view = workspace.analysis(path);
  const file = view === null ? undefined : ownFile(view);
  if (view === null || file === undefined) return [];
  const { subjects } = view.checked();
  return file.declarations.flatMap((d) => {
    const subject = d.kind === 'adapter' ? subjects.get(d.name.text) : undefined;
    return d.kind !== 'adapter' || subject === undefined
      ? []
      : d.items.flatMap((i) => hint(view, subject, i));
  });
}

function hint(view: Analysis, subject: Subject, item: Item): Hint[] {
  if (item.kind !== 'part' && item.kind !== 'override') return [];
  const size = partSize(subject, item.name.text);
  if (size === null || size.numbers === 0) return [];
  const verb = size.unfrozen ? 'unfreezes' : 'adds';
  const label = `${size.unfrozen ? 'unfreezes ' : '+'}${figure(size.numbers)}`;
  const tooltip = `\`${item.name.text}\` ${verb} ${figure(size.numbers)} parameters in ${figure(size.names.length)} tensors`;
  return [{ offset: lineEnd(view, item), label, tooltip }];
}

/** Where the item ends, or its first line when it has several. */
function lineEnd(view: Analysis, { span }: Item): number {
  const text = (view.sources.get(span.file) ?? '').slice(span.start, span.end);
  const [first = ''] = text.split('\n');
  return span.start + (first === text ? text : first.replace(/\/\/.*$/, '')).trimEnd().length;
}
