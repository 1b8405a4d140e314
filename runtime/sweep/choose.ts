/** Chooses the trials of a plan that are to run. */
import { InputError } from '../input-error.ts';
import type { Plan, PlannedTrial } from './plan.ts';

/** Trials whose name contains one of the texts; blanks around `=` make no difference. */
export function chooseTrials({ trials, sweep }: Plan, texts: readonly string[]): readonly PlannedTrial[] {
  const plain = (text: string): string => text.replace(/\s*=\s*/g, '=');
  const wanted = trials.filter(
    ({ key }) => texts.length === 0 || texts.some((text) => plain(key).includes(plain(text))),
  );
  if (wanted.length > 0) return wanted;
  throw new InputError(
    `no trial of \`${sweep.name}\` has \`${texts.join('` or `')}\` in its name`,
    `they are called such as \`${trials[0]?.key ?? ''}\``,
  );
}

/** Throws when no trial can run: that is one mistake of the spec, so no trial is recorded as failed. */
export function requireOneThatRuns(wanted: readonly PlannedTrial[]): void {
  const [first] = wanted;
  if (
    first === undefined ||
    typeof first.work !== 'string' ||
    wanted.some(({ work }) => typeof work !== 'string')
  )
    return;
  throw new InputError(`no trial can run; \`${first.key}\`:\n${first.work}`, 'correct the spec or its data');
}
