/** The trials of the interference table: which designs, trained how, and when they are measured. */
import type { Recipe } from '../../compiler/model/recipe.ts';
import type { Trial } from './trials.ts';

/** Specs of this folder with designs in them; those of `deep` stand on the deeper base. */
export type Spec = 'fusion' | 'deep';

export interface Design {
  /** In tables. */
  readonly title: string;
  /** In fusion.adapter, or in the spec that is named. */
  readonly adapter: string;
  readonly spec?: Spec;
  /** Recipes by schedule. */
  readonly recipes: Readonly<Partial<Record<Schedule, string>>>;
  /** Text comes with the blank picture, in training and when it is measured. */
  readonly blank?: boolean;
}

/** Titles of the schedules, in the order of the table. */
export const schedules = {
  sequential: 'instructions, then captions',
  joint: 'in turns, 2:3',
  mostly_captions: 'in turns, 1:10',
  joint_mixed: 'in turns, half of the instructions with an irrelevant image',
  joint_asked: 'in turns, with questions about the image',
} as const;
export type Schedule = keyof typeof schedules;

const plain = { sequential: 'sequential', joint: 'joint', mostly_captions: 'mostly_captions' } as const;

/** By the name a trial goes by. */
export const designs: Readonly<Record<string, Design>> = {
  'late-shared': { title: 'late, shared', adapter: 'LateShared', recipes: plain },
  'early-shared': { title: 'early, shared', adapter: 'EarlyShared', recipes: plain },
  'late-disjoint': { title: 'late, disjoint', adapter: 'LateDisjoint', recipes: plain },
  'late-null': blank('late, disjoint, blank image on text', 'LateNull'),
  'early-disjoint': { title: 'early, disjoint', adapter: 'EarlyDisjoint', recipes: plain },
  'early-null': blank('early, disjoint, blank image on text', 'EarlyNull'),
  'late-shared-mixed': mixed('late, shared', 'LateShared'),
  'early-shared-mixed': mixed('early, shared', 'EarlyShared'),
  'late-disjoint-mixed': mixed('late, disjoint', 'LateDisjoint'),
  'early-disjoint-mixed': mixed('early, disjoint', 'EarlyDisjoint'),
  'early-slow-mixed': mixed('early, disjoint, slow gates', 'EarlySlow'),
  'late-shared-asked': asked('late, shared', 'LateShared'),
  'early-shared-asked': asked('early, shared', 'EarlyShared'),
  'late-disjoint-asked': asked('late, disjoint', 'LateDisjoint'),
  'early-disjoint-asked': asked('early, disjoint', 'EarlyDisjoint'),
  ...deep('late-shared', 'late, shared', 'LateShared'),
  ...deep('early-shared', 'early, shared', 'EarlyShared'),
  ...deep('late-disjoint', 'late, disjoint', 'LateDisjoint'),
  ...deep('early-disjoint', 'early, disjoint', 'EarlyDisjoint'),
};

function blank(title: string, adapter: string): Design {
  const recipes = {
    sequential: 'sequential_blank',
    joint: 'joint_blank',
    mostly_captions: 'mostly_captions_blank',
  };
  return { title, adapter, recipes, blank: true };
}

function mixed(title: string, adapter: string): Design {
  return { title, adapter: `${adapter}Mixed`, recipes: { joint_mixed: 'joint_mixed' } };
}

function asked(title: string, adapter: string): Design {
  return { title, adapter: `${adapter}Asked`, recipes: { joint_asked: 'joint_asked' } };
}

/** The same on the deeper base, with images on captions alone and on half of the instructions. */
function deep(design: string, title: string, adapter: string): Record<string, Design> {
  const [plainDesign, mixedDesign] = [{ title, adapter, recipes: { joint: 'joint' } }, mixed(title, adapter)];
  const grown = (design: Design): Design => ({
    ...design,
    title: `${title}, 12 layers`,
    adapter: `Deep${design.adapter}`,
    spec: 'deep',
  });
  return { [`deep-${design}`]: grown(plainDesign), [`deep-${design}-mixed`]: grown(mixedDesign) };
}

/** Every design with every schedule it has a recipe for, seed by seed, so that a stopped run has whole rounds. */
export function allTrials(seeds: readonly number[]): Trial[] {
  const names = Object.keys(schedules) as Schedule[];
  return seeds.flatMap((seed) =>
    names.flatMap((schedule) =>
      Object.entries(designs).flatMap(([design, { recipes }]) =>
        recipes[schedule] === undefined ? [] : [{ design, schedule, seed }],
      ),
    ),
  );
}

/** One run of a recipe, with a learning-rate schedule of its own. */
export interface Stage {
  readonly recipe: Recipe;
  readonly steps: number;
  /** Steps of this stage after which the model is measured; the last always is. */
  readonly measureAt: readonly number[];
}

/** Caption steps after which a sequential trial is measured, besides the end. */
const EARLY_LOOK = 150;

/**
 * A staged recipe as the runs it stands for: each task with its share of the steps, and with a schedule and moments of
 * its own, as two calls of `graft train` would have them. Any other recipe is one stage.
 */
export function stagesOf(recipe: Recipe): Stage[] {
  const { steps } = recipe;
  if (steps === null) throw new Error(`the recipe ${recipe.name} counts no steps`);
  const parts = recipe.mix.parts.filter(({ count }) => count > 0);
  if (recipe.mix.kind !== 'staged') return [{ recipe, steps, measureAt: [steps] }];
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  return parts.map(({ task, count }) => {
    const own = Math.round((steps * count) / total);
    const warmup = { value: (recipe.schedule.warmup.value * own) / steps, unit: recipe.schedule.warmup.unit };
    const stage: Recipe = {
      ...recipe,
      name: `${recipe.name}.${task}`,
      mix: { kind: 'alternate', parts: [{ task, count: 1 }] },
      schedule: { ...recipe.schedule, warmup },
      steps: own,
    };
    const looks = task === 'caption' && own > EARLY_LOOK ? [EARLY_LOOK, own] : [own];
    return { recipe: stage, steps: own, measureAt: looks };
  });
}
