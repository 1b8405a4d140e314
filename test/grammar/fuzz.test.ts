/** Whatever the text, reading, checking and formatting it ends, throws nothing and loses nothing. */
import { suite } from 'uvu';
import { mutation } from './mutate.ts';
import { assertHolds } from './properties.ts';

const t = suite('fuzz');

/** 5,000 in all; `npm run fuzz` tries as many as one likes. */
for (let first = 0; first < 5000; first += 1000) {
  t(`mutations ${first} to ${first + 999}`, async () => {
    for (let seed = first; seed < first + 1000; seed++) {
      const text = mutation(seed);
      await assertHolds(text).catch((cause: unknown) => {
        throw new Error(`mutation ${seed}:\n${text}`, { cause });
      });
    }
  });
}

t.run();
