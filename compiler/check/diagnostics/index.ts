/** The catalogue of diagnostics: every entry of the files beside this one, which are by topic, and of the grammar. */
import * as characters from '../../../grammar/diagnostics/characters.ts';
import * as structure from '../../../grammar/diagnostics/structure.ts';
import { entriesIn, type Entry } from '../../../grammar/entry.ts';
import * as attributes from './attributes.ts';
import * as data from './data.ts';
import * as declarations from './declarations.ts';
import * as experts from './experts.ts';
import * as groups from './groups.ts';
import * as imports from './imports.ts';
import * as layers from './layers.ts';
import * as models from './models.ts';
import * as params from './params.ts';
import * as parts from './parts.ts';
import * as places from './places.ts';
import * as prompts from './prompts.ts';
import * as recipes from './recipes.ts';
import * as sweeps from './sweeps.ts';
import * as tasks from './tasks.ts';
import * as types from './types.ts';
import * as values from './values.ts';

/** In the order of their codes. */
export const catalogue: readonly Entry[] = entriesIn([
  characters,
  structure,
  attributes,
  data,
  declarations,
  experts,
  groups,
  imports,
  layers,
  models,
  params,
  parts,
  places,
  prompts,
  recipes,
  sweeps,
  tasks,
  types,
  values,
]).sort((a, b) => a.code.localeCompare(b.code));

/** The entry of a code, however it is spelled. */
export const entryOf = (code: string): Entry | undefined =>
  catalogue.find((e) => e.code === code.toUpperCase());
