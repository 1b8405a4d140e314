/** The process of one expert: opens what it is told to, then reads the pictures it is sent, one at a time. */
import { openDetector } from './detect.ts';
import type { Reader } from './expert.ts';
import { openOcr } from './ocr.ts';
import type { Job, Reply, Request } from './process.ts';

let reader: Promise<Reader> | null = null;

function open(job: Job): Promise<Reader> {
  switch (job.kind) {
    case 'ocr':
      return openOcr(job);
    case 'detect':
      return openDetector(job);
  }
}

async function answer({ job, picture }: Request): Promise<Reply> {
  try {
    if (job !== null) reader = open(job);
    const reading = await (await reader)?.read(picture, new AbortController().signal);
    if (!reading) throw new Error('a picture came before the job');
    return { ok: true, reading };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (request: Request) => {
  void answer(request).then((reply) => process.send?.(reply));
});
// Whoever asked is gone.
process.on('disconnect', () => process.exit(0));
