/** How declarations and items are written as a whole: the last help when nothing nearer fits a mistake. */
import { tokenMatcher } from 'chevrotain';
import type { Hint, Slip } from './slip.ts';
import * as t from './tokens.ts';

const forms: Readonly<Record<string, string>> = {
  importDeclaration: 'an import is written `import "FILE.adapter"`',
  base: 'a base is written `base NAME { ... }` or `base NAME from "FOLDER"`; an adapter stands on one with `adapter NAME on BASE`',
  param: 'a param is written `param NAME = VALUE`',
  data: 'data is written `data NAME = alpaca("FILE")`, or with another format',
  adapter: 'an adapter is written `adapter NAME on BASE { ... }`',
  recipe: 'a recipe is written `recipe NAME for ADAPTER { ... }`',
  sweep: 'a sweep is written `sweep NAME over ADAPTER with RECIPE { ... }`',
  part: 'a part is written `KIND NAME on PLACE { ... }`',
  group: 'a group is written `group NAME = PART + PART`',
  task: 'a task is written `task NAME on DATA trains GROUP { ... }`',
  expert: 'an expert is written `expert NAME { run = ... }`',
};

/** Rules that are no forms of their own. */
const inner = ['onName', 'trains', 'block', 'file', 'declaration', 'item'];

/** The form of what was being read, with the edit where one word is wrong or missing. */
export function formOf(slip: Slip): Hint | null {
  const { wanted, rules, rule, found, span, tokens, at } = slip;
  if (rule === 'adapter' && wanted === '`}`') return leftOver(slip);
  const owner = rules.findLast((name) => !inner.includes(name)) ?? '';
  const isKeyword = t.keywords.includes(found.tokenType);
  const before = tokens[at - 1];
  const isNamed = before !== undefined && t.keywords.includes(before.tokenType);
  if (isKeyword && wanted === 'a name' && isNamed && !isForm(slip))
    return { help: `\`${found.image}\` is a word of the language; choose another name` };
  if (rule === 'block' || rule === 'field') return null;
  const isFile = tokenMatcher(found, t.StringToken) || tokenMatcher(found, t.LeftParen);
  if (owner === 'task' && isFile)
    return { help: 'a task names its data: write `data NAME = alpaca("FILE")` outside, and `on NAME` here' };
  const help = Object.hasOwn(forms, owner) ? forms[owner] : undefined;
  if (help === undefined) return null;
  if (wanted === '`for`' && tokenMatcher(found, t.On)) return { help, edits: [{ span, text: 'for' }] };
  if (wanted === '`trains`' && found.image === 'train') return { help, edits: [{ span, text: 'trains' }] };
  const only = wanted === '`for`' && tokenMatcher(found, t.LeftBrace) ? onlyAdapter(slip) : null;
  return only === null
    ? { help }
    : { help, edits: [{ span: { ...span, end: span.start }, text: `for ${only} ` }] };
}

/** `on` or `trains` where a name was left out: the word is in its place. */
const isForm = ({ found, rules }: Slip): boolean =>
  tokenMatcher(found, t.On) &&
  (rules.includes('task') || rules.includes('adapter') || rules.includes('part'));

function leftOver({ tokens, at }: Slip): Hint | null {
  const [kind, name] = [tokens[at - 2], tokens[at - 1]];
  if (kind === undefined || name === undefined) return null;
  if (tokenMatcher(kind, t.Expert)) return { help: forms['expert'] };
  return null;
}

function onlyAdapter({ tokens }: Slip): string | null {
  const names = tokens.flatMap((token, i) =>
    tokenMatcher(token, t.Adapter) ? [tokens[i + 1]?.image ?? ''] : [],
  );
  return names.length === 1 ? (names[0] ?? null) : null;
}
