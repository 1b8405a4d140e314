/** What every page of ours has to fulfil. */
import * as assert from 'uvu/assert';

const VOID = new Set(['meta', 'br', 'hr']);
/** What could fetch or run something. */
const FORBIDDEN = /^(script|link|img|iframe|object|embed|base|form|use|image|video|audio|foreignobject)$/i;

/** Well-formed, without anything from outside: every element closed in its order, unique ids, no reference that leaves it. */
export function checkPage(page: string): void {
  assert.match(page, /^<!DOCTYPE html>\n<html lang="en">/);
  assert.not.match(page, /\p{Cs}|(?![\t\n\r])\p{Cc}/u, 'characters that HTML must not have');
  const open: string[] = [];
  const ids = new Set<string>();
  const targets: string[] = [];
  const body = page.replace(/^<!DOCTYPE html>/, '');
  let end = 0;
  for (const found of body.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*(\/?)>/g)) {
    const [whole, closing, name = '', attributes = '', selfClosing] = found;
    const text = body.slice(end, found.index);
    if (open.at(-1) !== 'style') assert.not.match(text, /[<>]/, `markup that is none: ${text.slice(0, 80)}`);
    end = found.index + whole.length;
    if (closing === '/') assert.is(open.pop(), name.toLowerCase(), `</${name}> closes what is not open`);
    else if (selfClosing !== '/' && !VOID.has(name)) open.push(name.toLowerCase());
    assert.not.match(name, FORBIDDEN);
    for (const [, key = '', value = ''] of attributes.matchAll(/([\w:-]+)="([^"]*)"/g)) {
      assert.not.match(key, /^(on\w+|src|srcset|action|formaction|poster|background|ping)$/i);
      if (/href$/i.test(key)) targets.push(value);
      if (key === 'id') assert.not.ok(ids.has(value), `two elements are called ${value}`);
      if (key === 'id') ids.add(value);
      if (key !== 'd') assert.not.match(value, /url\(|javascript:/i);
    }
  }
  assert.equal(open, [], 'everything is closed');
  for (const target of targets) assert.ok(ids.has(target.replace('#', '')) && target.startsWith('#'), target);
  for (const [, css = ''] of page.matchAll(/<style[^>]*>([^<]*)<\/style>/g))
    assert.not.match(css, /url\(|@import/);
}
