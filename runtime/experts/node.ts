/** From experts as a spec describes them to experts that can be asked, in Node. */
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { Expert as Described, ExpertRun } from '../../compiler/model/expert.ts';
import { readBytes, readText } from '../files.ts';
import { InputError } from '../input-error.ts';
import { askCommand } from './command.ts';
import { type Expert, type Reader, Refusal } from './expert.ts';
import { askEndpoint } from './http.ts';
import { inProcess, type Job } from './process.ts';

/** What reaches out of the program, which a spec alone may not do. */
export const permissions = ['http', 'command'] as const;
export type Permission = (typeof permissions)[number];

export interface ExpertOptions {
  readonly allow: ReadonlySet<Permission>;
  /** Opens a captioner: it takes a compiler, which the runtime does not have. */
  readonly openCaptioner: (
    run: Extract<ExpertRun, { kind: 'caption' }>,
    signal: AbortSignal,
  ) => Promise<Reader>;
}

/** An expert ready to be asked; nothing is started or read before that. */
export function openExpert({ name, run, timeout, length }: Described, options: ExpertOptions): Expert {
  return { name, timeout, length, ...waysOf(run, options) };
}

type Ways = Pick<Expert, 'look' | 'close'>;

function waysOf(run: ExpertRun | null, { allow, openCaptioner }: ExpertOptions): Ways {
  switch (run?.kind) {
    case undefined:
      return refused('the spec does not say how to run it (`run`)');
    case 'ocr':
      return inProcess(() => Promise.resolve({ ...run, data: languageFolder(run.language) }));
    case 'detect':
      return inProcess(() => detectorJob(run));
    case 'caption':
      return readerWays((signal) => openCaptioner(run, signal));
    case 'http':
      if (!allow.has('http')) return refused(`\`http("${run.address}")\` runs only with \`--allow http\``);
      return stateless((sight, signal) => askEndpoint(run.address, sight.bytes, signal));
    case 'command':
      if (!allow.has('command'))
        return refused(`\`command("${run.words.join(' ')}")\` runs only with \`--allow command\``);
      return stateless((sight, signal) => askCommand(run, sight, signal));
  }
}

const stateless = (look: Expert['look']): Ways => ({ look, close: () => undefined });

const refused = (why: string): Ways => stateless(() => Promise.reject(new Refusal(why)));

/** A model in our own process: it cannot be ended from outside, so it watches the signal itself. */
function readerWays(open: (signal: AbortSignal) => Promise<Reader>): Ways {
  let opened: Promise<Reader> | null = null;
  let last: Promise<unknown> = Promise.resolve();
  const drop = async (): Promise<void> => {
    const reader = await opened?.catch(() => null);
    opened = null;
    reader?.close();
  };
  return {
    async look(sight, signal) {
      const picture = await sight.picture();
      // One that was late may still be at work on the image before.
      await last;
      signal.throwIfAborted();
      opened ??= open(signal);
      const reading = opened.then((reader) => reader.read(picture, signal));
      last = reading.catch(drop);
      return reading;
    },
    close: () => void last.then(drop),
  };
}

/** Where npm has put a language of Tesseract. @throws InputError that names the package */
function languageFolder(language: string): string {
  const name = `@tesseract.js-data/${language}`;
  try {
    const found = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(found), '4.0.0_best_int');
  } catch (cause) {
    throw new InputError(
      `the language \`${language}\` of Tesseract is not installed`,
      `install it with \`npm install ${name}\``,
      { cause },
    );
  }
}

async function detectorJob(run: Extract<ExpertRun, { kind: 'detect' }>): Promise<Job> {
  // One after the other, so that the same file is named whenever both are missing.
  const model = await readBytes(run.model);
  const labels = await readText(run.labels);
  return {
    kind: 'detect',
    model,
    name: basename(run.model),
    labels: labels
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
    confidence: run.confidence,
  };
}
