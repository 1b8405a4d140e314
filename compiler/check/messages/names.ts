/** Messages about names: of files, declarations, params, parts and groups. */
import type { ImportDeclaration, Item, Name } from '../../../grammar/ast.ts';
import { error, type Details, type Diagnostic } from '../../../grammar/diagnostic.ts';
import { nearest } from '../../../grammar/suggest.ts';
import { aliasNotes, aliasOf } from '../aliases.ts';
import { insert, replace } from './edits.ts';

/** "did you mean", with the edit, for a name from elsewhere or a close candidate; otherwise the candidates as a note. */
export function suggest(name: Name, candidates: readonly string[], what = 'known'): Details {
  const alias = aliasOf(name.text, candidates);
  const near = alias?.ours ?? nearest(name.text, candidates);
  if (near !== undefined)
    return {
      help: `did you mean \`${near}\`?`,
      edits: replace(name.span, near),
      notes: alias === undefined ? [] : aliasNotes(name.text, alias),
    };
  return candidates.length === 0 ? {} : { notes: [`${what} are ${listOf(candidates)}`] };
}

/** `a part`, `an encoder`. */
export const one = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;

/** `a`, `b` and `c`. */
export function listOf(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).map((n) => `\`${n}\``);
  if (names.length > most) return `${shown.join(', ')} and ${names.length - most} more`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

export const declaredTwice = (name: Name, kind: string, first: Name): Diagnostic =>
  error('A101', name.span, `\`${name.text}\` is declared twice`, {
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

/** A base, adapter, recipe or data source that nobody declares. */
export function unknownDeclaration(name: Name, kind: string, candidates: readonly string[]): Diagnostic {
  const codes: Readonly<Record<string, string>> = {
    base: 'A102',
    adapter: 'A111',
    recipe: 'A111',
    data: 'A115',
  };
  const said = kind === 'data' ? 'data source' : kind;
  const details = suggest(name, candidates);
  const help =
    details.help ??
    (kind === 'base' ? 'declare it with `base NAME { ... }`, or import a file that does' : undefined);
  return error(codes[kind] ?? 'A111', name.span, `there is no ${said} \`${name.text}\``, {
    ...details,
    help,
  });
}

/** `second`: the name of the part, which may be a kind when the two were swapped. */
export function unknownKind(name: Name, second: Name, candidates: readonly string[]): Diagnostic {
  const swapped = candidates.includes(second.text);
  const help =
    name.text === 'and'
      ? 'parts and groups are added up with `+`'
      : swapped
        ? `the kind stands first: \`${second.text} ${name.text}\``
        : undefined;
  const edits =
    name.text === 'and'
      ? replace(name.span, '+')
      : [...replace(name.span, second.text), ...replace(second.span, name.text)];
  return error('A103', name.span, `\`${name.text}\` is not a kind of part`, {
    ...suggest(name, candidates, 'kinds'),
    ...(help === undefined ? {} : { help, edits, notes: [] }),
  });
}

export const unknownName = (name: Name, candidates: readonly string[], what: string): Diagnostic =>
  error('A104', name.span, `there is no ${what === 'layers' ? 'set of layers' : what} \`${name.text}\``, {
    ...suggest(name, candidates),
    label: 'neither a word of the language nor a `param`',
  });

export const importNotFound = (it: ImportDeclaration, path: string): Diagnostic =>
  error('A107', it.pathSpan, `the import \`${it.path}\` is not there`, {
    label: it.path === path ? '' : `looked for \`${path}\``,
    help: 'a path is taken from the folder of this file; `graft init` writes a spec whose import is right',
  });

export const importCycle = (it: ImportDeclaration, above: readonly string[], target: string): Diagnostic =>
  error('A108', it.pathSpan, 'imports go in a circle', {
    label: `leads back to \`${target}\``,
    notes: [[...above.slice(above.indexOf(target)), target].join(' imports ')],
  });

export const extendsCycle = (parent: Name, chain: readonly string[]): Diagnostic =>
  error('A109', parent.span, `\`${parent.text}\` extends itself`, {
    notes: [[parent.text, ...chain.slice(0, chain.indexOf(parent.text) + 1)].toReversed().join(' extends ')],
  });

export const unknownPart = (name: Name, candidates: readonly string[], by: string): Diagnostic =>
  error(
    'A113',
    name.span,
    `\`${by}\` reads from \`${name.text}\`, which is not there`,
    suggest(name, candidates),
  );

export const unknownGroupMember = (name: Name, candidates: readonly string[], dropped: boolean): Diagnostic =>
  error('A114', name.span, `there is no part or group \`${name.text}\``, {
    ...suggest(name, candidates),
    ...(dropped ? { notes: [`\`${name.text}\` was dropped`] } : {}),
  });

export const paramCycle = (name: Name, path: readonly string[]): Diagnostic =>
  error('A116', name.span, `the param \`${name.text}\` refers to itself`, {
    notes:
      path.length > 1
        ? [
            chainOf(
              [...path, path[0] ?? ''].map((n) => `\`${n}\``),
              'needs',
            ),
          ]
        : [],
  });

/** `a needs b needs c`; of a long chain only the ends. */
const chainOf = (links: readonly string[], verb: string): string =>
  (links.length > 8 ? [...links.slice(0, 4), '...', ...links.slice(-3)] : links).join(` ${verb} `);

/** How many params, groups or adapters may stand on one another. */
export const MAX_DEPTH = 100;

/** A value that would take too long to work out, or too much memory. */
export const tooLarge = (name: Name, what: 'param' | 'group' | 'adapter'): Diagnostic =>
  error('A007', name.span, `the ${what} \`${name.text}\` is nested too deeply`, {
    label: `more than ${MAX_DEPTH} ${what}s deep${what === 'param' ? ', or more than 10,000 values' : ''}`,
  });

export const unknownSetting = (name: Name, candidates: readonly string[]): Diagnostic =>
  error('A126', name.span, `there is no param \`${name.text}\` to set`, suggest(name, candidates));

export function noBase(name: Name, bases: readonly string[]): Diagnostic {
  const [only] = bases.length === 1 ? bases : [];
  return error('A127', name.span, `\`${name.text}\` stands on no base`, {
    help: `write \`adapter ${name.text} on ${only ?? 'BASE'}\`, or \`extends\` another adapter`,
    edits: only === undefined ? [] : insert(name.span, name.span.end, ` on ${only}`),
  });
}

export const unknownSwept = (name: Name, candidates: readonly string[]): Diagnostic =>
  error('A211', name.span, `a sweep cannot vary \`${name.text}\``, {
    help: `write \`param ${name.text} = ...\`, and \`${name.text}\` in the place of its value`,
    ...suggest(name, candidates),
    label: 'not a param',
  });
