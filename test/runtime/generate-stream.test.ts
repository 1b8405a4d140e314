/** What the user sees while tokens come: pieces that join to the whole text, cut before a stop string. */
import { Writable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { streamAnswers } from '../../runtime/cli/stream.ts';
import type { Tokenizer } from '../../runtime/tokenizer/tokenizer.ts';

const t = suite('streamed answers');

/** A token is a byte, as in the byte pieces of real vocabularies: a character may take several. */
const bytes = {
  decodeStream() {
    const decoder = new TextDecoder();
    return {
      push: (id: number) => decoder.decode(Uint8Array.of(id), { stream: true }),
      end: () => decoder.decode(),
    };
  },
} as unknown as Tokenizer;

function sink(): { out: Writable; pieces: string[] } {
  const pieces: string[] = [];
  return { pieces, out: new Writable({ write: (chunk, _, done) => (pieces.push(String(chunk)), done()) }) };
}

/** Streams one text and returns its pieces and how many tokens were taken before it was stopped. */
function stream(text: string, stops: readonly string[]): { pieces: string[]; taken: number } {
  const { out, pieces } = sink();
  const answers = streamAnswers(bytes, [''], stops, out);
  const ids = [...new TextEncoder().encode(text)];
  const at = ids.findIndex((id) => answers.token(0, id));
  answers.end();
  return { pieces, taken: at < 0 ? ids.length : at + 1 };
}

t('pieces join to the whole, and no character comes in halves', () => {
  for (const text of ['Once upon a time', 'Käse für 5 €', '日本語 and 🦎', 'a\nb\n']) {
    const { pieces } = stream(text, []);
    assert.is(pieces.join(''), `${text}\n`);
    assert.not.match(pieces.join(''), '\ufffd');
    assert.ok(pieces.filter((piece) => piece !== '').length > 3, 'it does flow');
  }
});

t('a stop string ends an answer wherever its pieces fall, and is not shown', () => {
  const cut = stream('yes.\n### Instruction: more', ['###']);
  assert.is(cut.pieces.join(''), 'yes.\n\n');
  assert.is(cut.taken, 8, 'the token that completes it is the last one asked for');
  assert.is(stream('one END two', ['END', 'two']).pieces.join(''), 'one \n');
  assert.is(stream('##x## ###', ['###']).pieces.join(''), '##x## \n');
  assert.is(
    stream('it ends with ##', ['###']).pieces.join(''),
    'it ends with ##\n',
    'what only began a stop is shown at the end',
  );
  assert.is(stream('€ur€', ['€']).pieces.join(''), '\n');
});

t('several answers are shown whole, each with its number', () => {
  const { out, pieces } = sink();
  const answers = streamAnswers(bytes, ['', ''], ['!'], out);
  const texts = ['left', 'right! on'].map((text) => [...new TextEncoder().encode(text)]);
  const stopped = new Set<number>();
  for (let i = 0; i < 9; i++)
    texts.forEach((ids, b) => {
      const id = ids[i];
      if (id !== undefined && !stopped.has(b) && answers.token(b, id)) stopped.add(b);
    });
  answers.end();
  assert.is(pieces.join(''), '[1] left\n[2] right\n');
  assert.equal([...stopped], [1]);
});

t.run();
