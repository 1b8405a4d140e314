/** Messages about adapters that build on each other. */
import type { DropItem, OverrideItem } from '../../../grammar/ast.ts';
import { error, type Diagnostic } from '../../../grammar/diagnostic.ts';
import { one, suggest } from './names.ts';

export const nothingToChange = (
  item: OverrideItem | DropItem,
  known: readonly string[],
  inherits: boolean,
): Diagnostic =>
  error(
    'A112',
    item.name.span,
    `there is no \`${item.name.text}\` to ${item.kind === 'drop' ? 'drop' : 'override'}`,
    {
      ...(inherits ? suggest(item.name, known, 'inherited') : {}),
      label: inherits ? '' : 'this adapter extends nothing',
    },
  );

/** A clause that the overridden item does not have. */
export const cannotOverride = (item: OverrideItem, kind: string, clause: string): Diagnostic =>
  error(
    'A112',
    item.span,
    `\`${item.name.text}\` is ${one(kind)}, which has no ${clause === 'attributes' ? clause : `\`${clause}\``} to override`,
    {
      help: kind === 'group' ? `write \`override ${item.name.text} = ...\`` : undefined,
    },
  );
