/** What trials of `assisted.ts` leave behind, and a table of it. */
import { table } from '../base/evaluate.ts';
import { meanAndSpread, stepsText } from './report.ts';
import { isFinished, type Line } from './trials.ts';

/** What stands before the question, and the column it has in the table. */
const helps = {
  none: 'no expert',
  truth: 'a true expert',
  captioner: 'the captioner',
  lie: 'a lying expert',
} as const;
export type Help = keyof typeof helps;

export interface Point {
  readonly steps: Readonly<Record<string, number>>;
  /** Shares of right answers about concepts that questions were trained on, and about others. */
  readonly asked: Readonly<Record<Help, number>>;
  readonly others: Readonly<Record<Help, number>>;
}

export interface Assisted {
  readonly points: readonly Point[];
  /** Share of the pictures in the questions that the captioner names right. */
  readonly captioner: number;
}

/** A row for each time and each list of questions, the experts as columns. */
export function assistedTable(lines: readonly Line<Assisted>[]): string {
  const outcomes = lines.flatMap((line) => (isFinished(line) ? [line.result] : []));
  const all = Object.keys(helps) as Help[];
  const rows = (outcomes[0]?.points ?? []).flatMap(({ steps }, index) =>
    (['asked', 'others'] as const).map((list) => {
      const own = outcomes.flatMap(({ points }) => points[index]?.[list] ?? []);
      const about = list === 'asked' ? 'asked about in training' : 'only named in training';
      return [
        stepsText(steps),
        about,
        String(own.length),
        ...all.map((help) => meanAndSpread(own.map((p) => p[help]))),
      ];
    }),
  );
  const captioner = meanAndSpread(outcomes.map((outcome) => outcome.captioner));
  const header = ['after', 'things', 'seeds', ...Object.values(helps)];
  return `${table(header, rows)}\n\nThe captioner names ${captioner} of these pictures right.`;
}
