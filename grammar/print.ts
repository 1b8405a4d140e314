/** The tree back to text: one canonical spelling, for messages, hovers, tables and `--emit ast`. */
import type { Declaration, Expression, Field, File, Item, NumberLiteral, Segment } from './ast.ts';

/** An expression on one line. */
export function printExpression(e: Expression): string {
  switch (e.kind) {
    case 'number':
      return printNumber(e);
    case 'string':
      return quote(e.value);
    case 'path':
      return printPath(e.segments);
    case 'call':
      return `${e.name.text}(${e.arguments
        .map((a) => (a.name === null ? '' : `${a.name.text}: `) + printExpression(a.value))
        .join(', ')})`;
    case 'list':
      return `[${e.items.map(printExpression).join(', ')}]`;
    case 'range':
      return `${printNumber(e.from)}..${printNumber(e.to)}${e.by === null ? '' : ` by ${printNumber(e.by)}`}`;
    case 'edge':
      return `${e.end} ${printExpression(e.count)}${printWithin(e.within)}`;
    case 'every':
      return `every ${e.what.text}${printWithin(e.within)}`;
    case 'binary': {
      // Operators associate to the left and are equally strong, so only the right side may need brackets.
      const right = printExpression(e.right);
      return `${printExpression(e.left)} ${e.operator} ${e.right.kind === 'binary' ? `(${right})` : right}`;
    }
    case 'missing':
      return '';
  }
}

/** A number with its unit. */
export const printNumber = (n: NumberLiteral): string =>
  n.unit === null ? n.text : `${n.text} ${n.unit.text}`;

const quote = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;

function printWithin(within: Expression | null): string {
  if (within === null) return '';
  const text = printExpression(within);
  return ` in ${within.kind === 'binary' ? `(${text})` : text}`;
}

const printPath = (segments: readonly Segment[]): string =>
  segments.map((s, i) => `${dotBetween(segments[i - 1], s)}${printSegment(s)}`).join('');

/** What stands between two segments of a path. Two numbers need a blank, or they would be read as one. */
export function dotBetween(before: Segment | undefined, s: Segment): string {
  const isNumber = (it: Segment): boolean => it.kind === 'name' && /^[0-9]/.test(it.name.text);
  if (before === undefined) return '';
  return isNumber(before) && isNumber(s) ? '. ' : '.';
}

function printSegment(s: Segment): string {
  switch (s.kind) {
    case 'one':
      return '*';
    case 'any':
      return '**';
    case 'choice':
      return `{${s.names.map((n) => n.text).join(', ')}}`;
    case 'name':
      return s.index === null ? s.name.text : `${s.name.text}[${printExpression(s.index)}]`;
  }
}

/** A whole file, one attribute a line, without its comments. */
export const printFile = (file: File): string =>
  file.declarations.map((d) => `${printDeclaration(d)}\n`).join('\n');

function printDeclaration(d: Declaration): string {
  switch (d.kind) {
    case 'import':
      return `import ${quote(d.path)}`;
    case 'base':
      return d.from === null
        ? `base ${d.name.text} ${printBlock(d.fields, '')}`
        : `base ${d.name.text} from ${printExpression(d.from)}${d.fields.length === 0 ? '' : ` ${printBlock(d.fields, '')}`}`;
    case 'param':
    case 'data':
      return `${d.kind} ${d.name.text} = ${printExpression(d.value)}`;
    case 'adapter': {
      const head =
        (d.base === null ? '' : ` on ${d.base.text}`) +
        (d.parent === null ? '' : ` extends ${d.parent.text}`);
      return `adapter ${d.name.text}${head} {\n${d.items.map((i) => `  ${printItem(i)}\n`).join('')}}`;
    }
    case 'recipe':
      return `recipe ${d.name.text} for ${d.adapter.text} ${printBlock(d.fields, '')}`;
    case 'sweep': {
      const where = d.conditions.map(
        (c) => `  where ${printExpression(c.left)} ${c.operator} ${printExpression(c.right)}\n`,
      );
      const fields = d.fields.map((f) => `  ${printField(f)}\n`);
      return `sweep ${d.name.text} over ${d.adapter.text} with ${d.recipe.text} {\n${[...fields, ...where].join('')}}`;
    }
  }
}

function printItem(i: Item): string {
  const block = (fields: readonly Field[]): string =>
    fields.length === 0 ? '' : ` ${printBlock(fields, '  ')}`;
  const clause = (word: string, e: Expression | null): string =>
    e === null ? '' : ` ${word} ${printExpression(e)}`;
  switch (i.kind) {
    case 'part': {
      const from = i.from === null ? '' : ` from ${i.from.text}`;
      return `${i.type.text} ${i.name.text}${clause('on', i.on)}${from}${block(i.fields)}`;
    }
    case 'group':
      return `group ${i.name.text} = ${printExpression(i.value)}`;
    case 'task':
      return `task ${i.name.text} on ${i.data.text}${clause('trains', i.trains)}${block(i.fields)}`;
    case 'expert':
      return `expert ${i.name.text}${block(i.fields)}`;
    case 'override': {
      const from = i.from === null ? '' : ` from ${i.from.text}`;
      return `override ${i.name.text}${clause('=', i.value)}${clause('on', i.on)}${from}${clause('trains', i.trains)}${block(i.fields)}`;
    }
    case 'drop':
      return `drop ${i.name.text}`;
  }
}

const printField = (f: Field): string => `${f.name.text} = ${printExpression(f.value)}`;

const printBlock = (fields: readonly Field[], indent: string): string =>
  fields.length === 0 ? '{}' : `{\n${fields.map((f) => `${indent}  ${printField(f)}\n`).join('')}${indent}}`;

/** 0.03 as `3%`. */
export const percentOf = (share: number): string => `${Number((share * 100).toPrecision(6))}%`;
