/** Names of declarations: two of one name, none of a name, adapters that build on others. */
import type { DropItem, Item, Name, OverrideItem } from '../../../grammar/ast.ts';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { entry, onLlama, type Entry } from '../../../grammar/entry.ts';
import { insert, replace } from './edits.ts';
import { one, suggest } from './phrases.ts';

export const A101 = entry({
  code: 'A101',
  severity: 'error',
  title: 'declared twice',
  text: `
    A name means one thing. Declarations of one sort share their names over a spec and all its imports; parts, groups,
    tasks and experts share theirs within an adapter and those it extends. To change what is inherited, write
    \`override\`.`,
  bad: onLlama(`
      prompt words on layers { length = 10 }
      bias   words on every linear`),
  good: onLlama(`
      prompt words  on layers { length = 10 }
      bias   biases on every linear`),
});

export const declaredTwice = (name: Name, kind: string, first: Name): Diagnostic =>
  A101.at(name.span, `\`${name.text}\` is declared twice`, {
    label: `a second ${kind} of this name`,
    related: [{ span: first.span, label: 'first declared here' }],
  });

/** A name that an adapter inherits and declares again. `kind`: what the inherited item is. */
export function inheritedTwice(item: Item, first: Item): Diagnostic {
  const { name } = item;
  // An override has neither a kind nor, for a task, data of its own.
  const same =
    item.kind === 'part' && first.kind === 'part'
      ? item.type.text === first.type.text
      : item.kind === 'group';
  const head = { ...name.span, start: item.span.start, end: name.span.start };
  const twice = declaredTwice(name, item.kind, first.name);
  const message = `write \`override ${name.text}\` to change the inherited one`;
  const edits = same && first.kind === item.kind ? replace(head, 'override ') : [];
  return { ...twice, fix: { message, edits } };
}

export const A102 = entry({
  code: 'A102',
  severity: 'error',
  title: 'unknown base',
  text: `
    An adapter stands on a base that is declared in the same file or in one it imports.`,
  bad: `
    import "bases.adapter"

    adapter Example on llama7 {}`,
  good: `
    import "bases.adapter"

    adapter Example on llama7b {}`,
});

export const A111 = entry({
  code: 'A111',
  severity: 'error',
  title: 'unknown adapter or recipe',
  text: `
    \`extends\`, \`for\`, \`over\` and \`with\` are followed by the name of an adapter or a recipe of this spec or its
    imports.`,
  bad: `
    import "bases.adapter"

    adapter Parent on llama7b {}
    adapter Example extends Parents {}`,
  good: `
    import "bases.adapter"

    adapter Parent on llama7b {}
    adapter Example extends Parent {}`,
});

export const A115 = entry({
  code: 'A115',
  severity: 'error',
  title: 'unknown data source',
  text: `
    A task is \`on\` a data source, which a \`data\` declaration names.`,
  bad: `
    import "bases.adapter"

    data instructions = alpaca("alpaca.json")

    adapter Example on llama7b {
      bias biases on every linear
      task instruct on instruction trains biases
    }`,
  good: `
    import "bases.adapter"

    data instructions = alpaca("alpaca.json")

    adapter Example on llama7b {
      bias biases on every linear
      task instruct on instructions trains biases
    }`,
});

/** A base, adapter, recipe or data source that nobody declares. */
export function unknownDeclaration(name: Name, kind: string, candidates: readonly string[]): Diagnostic {
  const entries: Readonly<Record<string, Entry>> = {
    base: A102,
    adapter: A111,
    recipe: A111,
    data: A115,
  };
  const said = kind === 'data' ? 'data source' : kind;
  const details = suggest(name, candidates);
  const help =
    details.help ??
    (kind === 'base' ? 'declare it with `base NAME { ... }`, or import a file that does' : undefined);
  return (entries[kind] ?? A111).at(name.span, `there is no ${said} \`${name.text}\``, {
    ...details,
    help,
  });
}

export const otherRecipe = (recipe: Name, of: string, adapter: string): Diagnostic =>
  A111.at(recipe.span, `\`${recipe.text}\` is no recipe for \`${adapter}\``, {
    label: `it is for \`${of}\``,
    help: `write \`recipe NAME for ${adapter} { ... }\`, or sweep over \`${of}\``,
  });

export const A109 = entry({
  code: 'A109',
  severity: 'error',
  title: 'an adapter extends itself',
  text: `
    An adapter takes over what its parent has, so the chain of parents has to end at one that stands on a base.`,
  bad: `
    adapter Example extends Example {}`,
  good: `
    import "bases.adapter"

    adapter Parent on llama7b {}
    adapter Example extends Parent {}`,
});

export const extendsCycle = (parent: Name, chain: readonly string[]): Diagnostic =>
  A109.at(parent.span, `\`${parent.text}\` extends itself`, {
    notes: [[parent.text, ...chain.slice(0, chain.indexOf(parent.text) + 1)].toReversed().join(' extends ')],
  });

export const A112 = entry({
  code: 'A112',
  severity: 'error',
  title: 'nothing to override or drop',
  text: `
    \`override\` and \`drop\` change what an adapter inherits, so what they name has to be there, and an override can only
    give it what its kind has: a task has \`trains\` and attributes, a group has \`=\`, a part has \`on\`, \`from\` and
    attributes.`,
  bad: `
    import "bases.adapter"

    adapter Parent on llama7b {
      scale scales on every linear
    }
    adapter Example extends Parent {
      drop scale
    }`,
  good: `
    import "bases.adapter"

    adapter Parent on llama7b {
      scale scales on every linear
    }
    adapter Example extends Parent {
      drop scales
    }`,
});

export const nothingToChange = (
  item: OverrideItem | DropItem,
  known: readonly string[],
  inherits: boolean,
): Diagnostic =>
  A112.at(
    item.name.span,
    `there is no \`${item.name.text}\` to ${item.kind === 'drop' ? 'drop' : 'override'}`,
    {
      ...(inherits ? suggest(item.name, known, 'inherited') : {}),
      label: inherits ? '' : 'this adapter extends nothing',
    },
  );

/** A clause that the overridden item does not have. */
export const cannotOverride = (item: OverrideItem, kind: string, clause: string): Diagnostic =>
  A112.at(
    item.span,
    `\`${item.name.text}\` is ${one(kind)}, which has no ${clause === 'attributes' ? clause : `\`${clause}\``} to override`,
    {
      help: kind === 'group' ? `write \`override ${item.name.text} = ...\`` : undefined,
    },
  );

export const A127 = entry({
  code: 'A127',
  severity: 'error',
  title: 'an adapter without a base',
  text: `
    An adapter is written \`on\` a base, or it \`extends\` an adapter that is.`,
  bad: `
    adapter Example {}`,
  good: `
    import "bases.adapter"

    adapter Example on llama7b {}`,
});

export function noBase(name: Name, bases: readonly string[]): Diagnostic {
  const [only] = bases.length === 1 ? bases : [];
  return A127.at(name.span, `\`${name.text}\` stands on no base`, {
    help: `write \`adapter ${name.text} on ${only ?? 'BASE'}\`, or \`extends\` another adapter`,
    edits: only === undefined ? [] : insert(name.span, name.span.end, ` on ${only}`),
  });
}
