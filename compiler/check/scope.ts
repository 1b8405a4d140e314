/** Declarations by name: duplicates, values of `--set`, and params that go in circles. */
import type { Declaration, Expression, File, Name } from '../../grammar/ast.ts';
import { parseExpression } from '../../grammar/parser.ts';
import type { Param, Report, Scope } from './env.ts';
import { declaredTwice, paramCycle, unknownSetting } from './messages/names.ts';

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
  dropCycles(params, report);
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
  dropCycles(params, () => undefined);
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

/** A param whose value leads back to itself is reported once and then has no value. */
function dropCycles(params: Map<string, Param>, report: Report): void {
  for (const param of [...params.values()]) {
    const path = cycleFrom(params, param, []);
    if (path === null) continue;
    report(paramCycle(param.name, path));
    params.set(param.name.text, { name: param.name, value: { kind: 'missing', span: param.value.span } });
  }
}

function cycleFrom(
  params: ReadonlyMap<string, Param>,
  param: Param,
  above: readonly string[],
): readonly string[] | null {
  const path = [...above, param.name.text];
  for (const name of namesIn(param.value)) {
    if (name.text === path[0]) return path;
    const next = params.get(name.text);
    if (next === undefined || path.includes(name.text)) continue;
    const found = cycleFrom(params, next, path);
    if (found !== null) return found;
  }
  return null;
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
