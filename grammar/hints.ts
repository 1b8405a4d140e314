/** What a mistake of syntax probably means: what to type instead, and the edit where there is one. */
import { EOF, tokenMatcher, type IRecognitionException, type IToken, type TokenType } from 'chevrotain';
import { formOf } from './forms.ts';
import type { Hint, Slip } from './slip.ts';
import type { Source, Span } from './source.ts';
import * as t from './tokens.ts';

export function slipAt(
  source: Source,
  e: IRecognitionException,
  span: Span,
  tokens: readonly IToken[],
): Slip {
  const rules = e.context.ruleStack;
  const at = e.token.tokenType === EOF ? tokens.length : indexAt(tokens, e.token.startOffset);
  return { source, wanted: e.message, rules, rule: rules.at(-1) ?? '', found: e.token, span, tokens, at };
}

function indexAt(tokens: readonly IToken[], offset: number): number {
  let [low, high] = [0, tokens.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tokens[middle]?.startOffset ?? Infinity) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

const is = (token: IToken | undefined, ...types: readonly TokenType[]): boolean =>
  token !== undefined && types.some((type) => tokenMatcher(token, type));

const endOf = (token: IToken | undefined): number =>
  token === undefined ? 0 : token.startOffset + token.image.length;

const spanOf = ({ span }: Slip, first: IToken | undefined, last: IToken | undefined): Span => ({
  ...span,
  start: first?.startOffset ?? span.start,
  end: Math.max(span.end, endOf(last)),
});

/** Other text in place of what was found. */
const instead = ({ span }: Slip, help: string, text: string): Hint => ({ help, edits: [{ span, text }] });

/** Other text in place of a sign and the blanks before it. */
const sign = ({ span, tokens, at }: Slip, help: string, text: string): Hint => ({
  help,
  edits: [{ span: { ...span, start: endOf(tokens[at - 1]) }, text }],
});

/** Text behind the token before. */
function behind({ span, tokens, at }: Slip, help: string, text: string): Hint {
  const end = endOf(tokens[at - 1]);
  return { help, edits: [{ span: { ...span, start: end, end }, text }] };
}

/** `adamw(lr: 1e-3 weight_decay: 2%)`: the next argument, without its comma. */
export const isNextArgument = ({ wanted, found, tokens, at }: Slip): boolean =>
  wanted === '`)`' && is(found, t.Word) && is(tokens[at + 1], t.Colon);

/** `100 iterations`: steps, by another name. */
export const isUnit = ({ found, tokens, at }: Slip): boolean =>
  is(tokens[at - 1], t.NumberToken) && /^(iters?|iterations?|updates?|its)$/.test(found.image);

/** Names and commas in brackets of some kind from a place on. */
function bracketed({ tokens }: Slip, from: number, close: TokenType) {
  const to = tokens.findIndex((token, i) => i > from && !is(token, t.Word, t.Comma));
  const words = tokens.slice(from + 1, to).filter((token) => is(token, t.Word));
  return words.length > 0 && is(tokens[to], close)
    ? { last: tokens[to], words: words.map((w) => w.image) }
    : null;
}

/** Where a bracket that was opened is closed, when only names, numbers and commas are in it. */
function closeOf({ tokens, at }: Slip, close: TokenType): IToken | undefined {
  const end = tokens.findIndex((token, i) => i > at && !is(token, t.Comma, t.Word, t.NumberToken, t.Minus));
  return is(tokens[end], close) ? tokens[end] : undefined;
}

/** A slice as Python has it, `0:4`, `4:`, `:4` or `-4:`, and the same layers in our words. */
function slice(slip: Slip): Hint | null {
  const { wanted, found, tokens, at } = slip;
  if (!is(found, t.Colon) || !/^(`]`|a value)$/.test(wanted)) return null;
  const number = (i: number): IToken | undefined =>
    is(tokens[i], t.NumberToken) && /^\d+$/.test(tokens[i]?.image ?? '') ? tokens[i] : undefined;
  const [from, to] = [number(at - 1), number(at + 1)];
  const minus = from !== undefined && is(tokens[at - 2], t.Minus) ? tokens[at - 2] : undefined;
  const inBrackets = is(tokens[to === undefined ? at + 1 : at + 2], t.RightBracket);
  if (!inBrackets || (minus !== undefined && to !== undefined)) return null;
  const text = layersOf(from?.image, to?.image, minus !== undefined);
  const span = { ...slip.span, start: (minus ?? from ?? found).startOffset, end: endOf(to ?? found) };
  return { help: `layers are written \`${text}\`, both ends included`, edits: [{ span, text }] };
}

function layersOf(from: string | undefined, to: string | undefined, minus: boolean): string {
  if (from !== undefined && to !== undefined) return `${from}..${Math.max(0, Number(to) - 1)}`;
  if (to !== undefined) return `first ${to}`;
  if (from === undefined) return 'all';
  return minus ? `last ${from}` : `all - first ${from}`;
}

function name(slip: Slip): Hint | null {
  const { source, wanted, found, span } = slip;
  if (is(found, t.Minus) && /\w-\w/.test(source.text.slice(span.start - 1, span.end + 1)))
    return instead(slip, 'names are made of letters, digits and `_`', '_');
  const text = found.image.replace(/^["']|["']$/g, '');
  if (is(found, t.StringToken) && wanted === 'a name' && /^[A-Za-z_]\w*$/.test(text))
    return instead(slip, `names stand without quotes: \`${text}\``, text);
  return null;
}

function comma(slip: Slip): Hint | null {
  const { source, wanted, rule, found, tokens, at } = slip;
  const before = tokens[at - 1];
  if (is(found, t.RightParen, t.RightBracket, t.RightBrace) && is(before, t.Comma))
    return {
      help: 'take the last comma away',
      edits: [{ span: { ...slip.span, start: before?.startOffset ?? 0, end: endOf(before) }, text: '' }],
    };
  if (isNextArgument(slip)) return behind(slip, 'arguments are separated by commas', ',');
  if (is(found, t.NumberToken, t.StringToken) && wanted === '`]`')
    return behind(slip, 'the values of a list are separated by commas', ',');
  if (!is(found, t.Comma)) return null;
  if (rule === 'index') return listOfLayers(slip);
  if (rule === 'term' && wanted === '`)`') {
    const last = closeOf(slip, t.RightParen);
    const open = tokens[tokens.slice(0, at).findLastIndex((token) => is(token, t.LeftParen))];
    const span = spanOf(slip, open, last);
    const text = `[${source.text.slice(span.start + 1, span.end - 1)}]`;
    return {
      help: 'a list stands in square brackets: `[a, b]`',
      edits: last === undefined ? [] : [{ span, text }],
    };
  }
  if (rule === 'adapter') return sign(slip, 'parts and groups are added up with `+`', ' +');
  if (wanted === 'a value') return null;
  return instead(slip, 'attributes are separated by blanks or new lines, without commas', '');
}

/** `layers[0, 2]`: the brackets hold one set of layers, which may be a list. */
function listOfLayers(slip: Slip): Hint {
  const { source, tokens, at } = slip;
  const last = closeOf(slip, t.RightBracket);
  const open = tokens[tokens.slice(0, at).findLastIndex((token) => is(token, t.LeftBracket))];
  const span = spanOf(slip, open, last);
  const text = `[${source.text.slice(span.start, span.end)}]`;
  if (last === undefined || open === undefined) return { help: 'a list of layers has brackets of its own' };
  return { help: `a list has brackets of its own: \`layers${text}\``, edits: [{ span, text }] };
}

function dots(slip: Slip): Hint | null {
  const { found, tokens, at } = slip;
  if (!is(found, t.Dot)) return null;
  if (is(tokens[at - 1], t.DotDot)) return instead(slip, 'a range has two dots: `0..3`', '');
  const next = tokens[at + 1];
  if (!is(next, t.NumberToken) || next?.startOffset !== slip.span.end) return null;
  return instead(slip, `a number starts with a digit: \`0.${next.image}\``, '0.');
}

function equals(slip: Slip): Hint | null {
  const { wanted, found } = slip;
  if (is(found, t.Colon) && wanted === '`=`') return sign(slip, 'attributes are written with `=`', ' =');
  if (is(found, t.Equal) && wanted === '`)`') return sign(slip, 'arguments are written with `:`', ':');
  if (is(found, t.NumberToken, t.StringToken, t.Identifier, t.First, t.Last) && wanted === '`=`')
    return instead(slip, 'an attribute is written `name = value`', `= ${found.image}`);
  return null;
}

/** Behind `KIND NAME`: another word or sign than `on`. */
function place(slip: Slip): Hint | null {
  const { source, rule, found, tokens, at } = slip;
  if (rule !== 'adapter') return null;
  const isPart = is(tokens[at - 1], t.Identifier) && is(tokens[at - 2], t.Identifier);
  const help = 'where a part sits is written with `on`';
  if (isPart && is(found, t.For, t.In)) return instead(slip, help, 'on');
  if (isPart && is(found, t.Equal, t.Colon)) return sign(slip, help, ' on');
  if (!is(found, t.NumberToken, t.First, t.Last) || tokens[at - 1]?.image !== 'layers') return null;
  const rest = tokens
    .slice(at)
    .findIndex((token) => is(token, t.LeftBrace, t.From) || is(token, t.RightBrace));
  const last = tokens[at + rest - 1];
  if (rest < 1 || last === undefined || last.endLine !== found.startLine)
    return { help: 'which layers stands in brackets: `layers[0..3]`' };
  const text = `[${source.text.slice(found.startOffset, endOf(last))}]`;
  const span = { ...slip.span, start: endOf(tokens[at - 1]), end: endOf(last) };
  return { help: `which layers stands in brackets: \`layers${text}\``, edits: [{ span, text }] };
}

/** Several names in brackets of the wrong kind. */
function several(slip: Slip): Hint | null {
  const { rules, wanted, found, at } = slip;
  if (is(found, t.LeftBracket) && wanted === 'a name after the dot') {
    const inside = bracketed(slip, at, t.RightBracket);
    const text = `{${inside?.words.join(', ') ?? 'wq, wv'}}`;
    const edits = inside === null ? [] : [{ span: spanOf(slip, found, inside.last), text }];
    return { help: `several names after a dot stand in braces: \`.${text}\``, edits };
  }
  if (!is(found, t.LeftBrace) || wanted !== 'a value') return null;
  if (!rules.includes('group') && !rules.includes('trains')) return null;
  const inside = bracketed(slip, at, t.RightBrace);
  const text = inside?.words.join(' + ') ?? '';
  const edits = inside === null ? [] : [{ span: spanOf(slip, found, inside.last), text }];
  return { help: 'parts and groups are added up with `+`, without brackets', edits };
}

const unit = (slip: Slip): Hint | null =>
  isUnit(slip) ? instead(slip, 'they are called `steps`', 'steps') : null;

/** What is probably meant, with the edit where there is one. */
export function hintFor(slip: Slip): Hint {
  for (const hint of [slice, name, unit, comma, dots, place, several, equals, formOf]) {
    const found = hint(slip);
    if (found !== null) return found;
  }
  return {};
}
