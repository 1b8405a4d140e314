/**
 * The compiler as a library: a spec's text to diagnostics, to a model, to a package of kernels. Nothing here touches a disk or a
 * device; docs/api.md shows how it is used.
 */
export { type Checked, type CheckOptions, checkSpec } from './check/check.ts';
export { compile, type Compiled, type CompileOptions, type TaskSizes } from './compile.ts';
export { type Counts, countModel, type PartCount, type SetCount } from './describe/counts.ts';
export { type Change, type CountChange, diffModels, type ModelDiff } from './describe/diff.ts';
export { type FusionMap, fusionMap, type MapColumn, type MapRow } from './describe/fusion-map.ts';
export { printModel } from './describe/print-model.ts';
export { type Host, memoryHost } from './host.ts';
export { lowerModel } from './lower/lower.ts';
export { type Obstacle, obstaclesOf } from './merge/merge.ts';
export type { Base, Model, Parameter, Part, Site, Task } from './model/model.ts';
export type { Recipe } from './model/recipe.ts';
export type { DeviceClass, Manifest, Profile, Program } from './package/package.ts';
export type { Diagnostic, Fix, Related, Severity } from '../grammar/diagnostic.ts';
export { parse, type Parsed } from '../grammar/parser.ts';
export { diagnosticToJson, renderDiagnostic } from '../grammar/render.ts';
export type { Source, Span } from '../grammar/source.ts';
