/** Asks experts about images: all of them at once, each for its time, and none of them can spoil the answer. */
import { type Answer, type Expert, Refusal, type Sight } from './expert.ts';
import { cleanText, cutText } from './text.ts';

/**
 * Asks every expert about every image. An expert sees one image after the other; the experts run side by side.
 * Never fails: an expert that does says so in its answer.
 * @returns for each image, an answer of each expert
 */
export async function askExperts(experts: readonly Expert[], sights: readonly Sight[]): Promise<Answer[][]> {
  const columns = await Promise.all(
    experts.map(async (expert) => {
      const answers: Answer[] = [];
      for (const sight of sights) answers.push(await askOne(expert, sight));
      expert.close();
      return answers;
    }),
  );
  return sights.map((_, i) => columns.flatMap((answers) => answers[i] ?? []));
}

async function askOne(expert: Expert, sight: Sight): Promise<Answer> {
  const { name, timeout } = expert;
  const start = performance.now();
  const silent = (outcome: Answer['outcome'], note: string): Answer => ({
    ...{ name, outcome, note, text: '', confidence: null },
    seconds: (performance.now() - start) / 1000,
  });
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeout * 1000);
  });
  try {
    const reading = await Promise.race([expert.look(sight, controller.signal), late]);
    if (reading === null) return silent('late', `no answer within ${timeout} s`);
    const { text, note } = fitText(reading.text, expert.length);
    if (text === '') return silent('empty', note === '' ? 'it has nothing to say' : note);
    return { ...silent('answered', note), text, confidence: reading.confidence };
  } catch (error) {
    return silent(error instanceof Refusal ? 'refused' : 'failed', reasonOf(error));
  } finally {
    clearTimeout(timer);
    // Whatever is still going on after a time-out is told to stop; nobody waits for it.
    controller.abort();
  }
}

/** An error in one line, with its help where it has one. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return cutText(cleanText(text.replace('\n  help: ', '; ')), 500) || 'it failed without a word';
}

/** What is looked at of a text at all. */
const MOST_CHARACTERS = 2 ** 20;

/** A text as an expert gave it, made fit for the prompt; the note says when something is missing. */
export function fitText(raw: string, length: number): { readonly text: string; readonly note: string } {
  const clean = cleanText(raw.slice(0, MOST_CHARACTERS));
  if (clean === '' && raw.length > 0)
    return { text: '', note: 'it gave nothing but blanks and control characters' };
  const text = cutText(clean, length);
  const whole = text === clean && raw.length <= MOST_CHARACTERS;
  return { text, note: whole ? '' : `cut to ${length} characters` };
}

/** A text that was given by hand instead of asking. */
export const givenAnswer = (name: string, raw: string, length: number): Answer => ({
  ...{ name, outcome: 'given', confidence: null, seconds: 0 },
  ...fitText(raw, length),
});
