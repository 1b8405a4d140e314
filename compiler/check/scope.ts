/** Declarations by name: duplicates, values of `--set`, and params that go in circles. */
import type { Declaration, Expression, File, Name } from '../../grammar/ast.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { parseExpression } from '../../grammar/parser.ts';
import type { Param, Report, Scope } from './env.ts';
import { declaredTwice } from './diagnostics/declarations.ts';
import { MAX_DEPTH, paramCycle, tooLarge, unknownSetting } from './diagnostics/params.ts';

/** Collects what the files declare. `settings` replace the values of params, as `--set` does. */
export function collectScope(
  files: readonly File[],
  settings: Readonly<Record<string, string>>,
  sources: Map<string, string>,
  report: Report,
): Scope {
  const declarations = files.flatMap((f) => f.declarations);
  const of = <K extends Declaration['kind']>(kind: K): Map<string, Extract<Declaration, { kind: K }>> =>
    byName(
      declarations.filter((d): d is Extract<Declaration, { kind: K }> => d.kind === kind),
      kind,
      report,
    );
  const params = new Map<string, Param>(of('param'));
  applySettings(params, settings, sources, report);
  dropEndless(params, report);
  return {
    params,
    bases: of('base'),
    data: of('data'),
    adapters: of('adapter'),
    recipes: of('recipe'),
    sweeps: of('sweep'),
  };
}

function byName<D extends Declaration>(
  declarations: readonly D[],
  kind: string,
  report: Report,
): Map<string, D> {
  const map = new Map<string, D>();
  for (const d of declarations) {
    if (!('name' in d) || d.name.text === '') continue;
    const first = map.get(d.name.text);
    if (first !== undefined && 'name' in first) report(declaredTwice(d.name, kind, first.name));
    else map.set(d.name.text, d);
  }
  return map;
}

/** The scope with other values for some params. One that leads back to itself through them has none. */
export function withValues(scope: Scope, values: ReadonlyMap<string, Expression>): Scope {
  const params = new Map(scope.params);
  for (const [name, value] of values) {
    const param = params.get(name);
    if (param !== undefined) params.set(name, { name: param.name, value });
  }
  dropEndless(params, () => undefined);
  return { ...scope, params };
}

function applySettings(
  params: Map<string, Param>,
  settings: Readonly<Record<string, string>>,
  sources: Map<string, string>,
  report: Report,
): void {
  for (const [name, text] of Object.entries(settings)) {
    const file = `--set ${name}`;
    sources.set(file, text);
    const span = { file, start: 0, end: text.length };
    const param = params.get(name);
    if (param === undefined) {
      report(unknownSetting({ text: name, span }, [...params.keys()]));
      continue;
    }
    const parsed = parseExpression({ file, text });
    parsed.diagnostics.forEach(report);
    params.set(name, { name: param.name, value: parsed.expression });
  }
}

/** How many params deep a value is, and how many values it holds when they are put in. */
interface Extent {
  readonly depth: number;
  readonly size: number;
}

const LEAF: Extent = { depth: 0, size: 1 };
const MAX_SIZE = 10_000;

/** A param whose value leads back to itself, or is too large to be worked out, is reported and then has no value. */
function dropEndless(params: Map<string, Param>, report: Report): void {
  const extents = new Map<string, Extent>();
  const drop = (param: Param, why: Diagnostic): Extent => {
    report(why);
    params.set(param.name.text, { name: param.name, value: { kind: 'missing', span: param.value.span } });
    return LEAF;
  };
  const extentOf = (name: string, above: readonly string[]): Extent => {
    const known = extents.get(name);
    const param = params.get(name);
    if (known !== undefined || param === undefined || param.value.kind === 'missing') return known ?? LEAF;
    if (above.includes(name)) return drop(param, paramCycle(param.name, above.slice(above.indexOf(name))));
    if (above.length >= MAX_DEPTH) return drop(param, tooLarge(param.name, 'param'));
    const path = [...above, name];
    const inner = namesIn(param.value).map((n) => extentOf(n.text, path));
    const depth = 1 + inner.reduce((most, e) => Math.max(most, e.depth), 0);
    const size = 1 + inner.reduce((sum, e) => sum + e.size, 0);
    const endless = params.get(name)?.value.kind === 'missing';
    const extent = endless
      ? LEAF
      : depth > MAX_DEPTH || size > MAX_SIZE
        ? drop(param, tooLarge(param.name, 'param'))
        : { depth, size };
    extents.set(name, extent);
    return extent;
  };
  for (const name of params.keys()) extentOf(name, []);
}

/** Every name in an expression that could be a param: alone, in brackets, as an argument. */
export function namesIn(e: Expression): Name[] {
  switch (e.kind) {
    case 'path':
      return e.segments.flatMap((s, i) => {
        if (s.kind !== 'name') return [];
        const own = i === 0 && e.segments.length === 1 && s.index === null ? [s.name] : [];
        return s.index === null ? own : namesIn(s.index);
      });
    case 'call':
      return e.arguments.flatMap((a) => namesIn(a.value));
    case 'list':
      return e.items.flatMap(namesIn);
    case 'edge':
      return [...namesIn(e.count), ...(e.within === null ? [] : namesIn(e.within))];
    case 'every':
      return e.within === null ? [] : namesIn(e.within);
    case 'binary':
      return [...namesIn(e.left), ...namesIn(e.right)];
    case 'number':
    case 'string':
    case 'range':
    case 'missing':
      return [];
  }
}
