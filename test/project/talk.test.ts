/** Talking: the history stays in the cache, and the answers are those of the whole conversation read at once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { modelChat } from '../../runtime/data/model-chat.ts';
import { templateOf, type Template } from '../../runtime/data/templates.ts';
import { generate, makeDecoder } from '../../runtime/generate.ts';
import { createTalk, type Said, type Talk } from '../../runtime/project/talk.ts';
import { argmax } from '../../runtime/sample.ts';
import type { Session } from '../../runtime/session.ts';
import { huggingfaceTokenizer } from '../../runtime/tokenizer/huggingface.ts';
import { trainBpe } from '../../runtime/tokenizer/train-bpe.ts';
import { openModel, withDevice } from '../compiler/sessions.ts';
import { fromLibrary, randomValues, tiny } from '../compiler/subjects.ts';

const t = suite('talk');

const specialTokens = ['<unk>', '<s>', '</s>', '<|im_start|>', '<|im_end|>'];
const json = trainBpe(['a word'], { vocabSize: 300, specialTokens, bytes: 'all' });
const chatml =
  "{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const { template: chat, tokenizer } = modelChat(
  huggingfaceTokenizer(json, { bos_token: '<s>', eos_token: '</s>', chat_template: chatml }),
);
const END = 4;
const encode = (text: string): number[] => tokenizer.encode(text);

const base = { ...tiny, vocab: 300, context: 240 };
const model = fromLibrary('llama-adapter-v1.adapter', { base });
/** Words that are read at once: less than a turn, so that turns come in several pieces. */
const PIECE = 8;

interface Opened {
  readonly session: Session;
  /** Programs that were run, one after the other. */
  readonly runs: string[];
}

async function withTalk(
  template: Template,
  run: (talk: Talk, opened: Opened) => Promise<void>,
  context = 200,
): Promise<void> {
  await withDevice(async (device) => {
    const session = await openModel(device, model, randomValues(model), {
      generation: { batch: 1, tokens: PIECE, context, extend: true },
    });
    const runs: string[] = [];
    const { executor } = session;
    const watched: Session = {
      ...session,
      executor: Object.create(executor, {
        runAndRead: {
          value: (works: string[], slices: []) => (runs.push(...works), executor.runAndRead(works, slices)),
        },
      }) as typeof executor,
    };
    const talk = createTalk(makeDecoder(watched), template, {
      tokenizer,
      system: '',
      maxTokens: 5,
      pick: argmax,
    });
    await run(talk, { session, runs });
  });
}

const ask = async (talk: Talk, text: string): Promise<Said & { readonly ids: number[] }> => {
  const ids: number[] = [];
  const said = await talk.say(text, (id) => (ids.push(id), false));
  return { ...said, ids };
};

/** What the model answers when it reads a conversation at once. */
async function whole(ids: readonly number[]): Promise<number[]> {
  let answer: number[] = [];
  await withDevice(async (device) => {
    const session = await openModel(device, model, randomValues(model), {
      generation: { batch: 1, tokens: ids.length, context: 200 },
    });
    [answer = []] = await generate(makeDecoder(session), [ids], { maxTokens: 5, tokenizer, pick: argmax });
  });
  return answer;
}

const turnOf = (text: string): string => `<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`;

t('a turn costs its own tokens, and is answered as the whole conversation is', () =>
  withTalk(chat, async (talk, { runs }) => {
    const firstIds = encode(`<s>${turnOf('a word')}`);
    const first = await ask(talk, 'a word');
    assert.is(first.read, firstIds.length);
    assert.equal(first.ids, await whole(firstIds));
    assert.is(runs.filter((name) => name === 'prefill').length, 1);
    runs.length = 0;
    const second = await ask(talk, 'more');
    // The token that ends the answer, the line break behind it and the turn; and the answer's last token, which had to be
    // picked and not to be read yet.
    const own = [END, ...encode(`\n${turnOf('more')}`)];
    const unread = first.reason === 'length' ? 1 : 0;
    assert.is(second.read, own.length + unread);
    assert.is(second.tokens, firstIds.length + first.ids.length + own.length + second.ids.length);
    assert.equal(second.ids, await whole([...firstIds, ...first.ids, ...own]));
    // As many runs as the turn's own tokens take, and none from the beginning.
    assert.equal(
      runs.filter((name) => !name.startsWith('decode')),
      Array.from({ length: Math.ceil(second.read / PIECE) }, () => 'extend'),
    );
    talk.reset();
    assert.equal(await ask(talk, 'a word'), first, 'after a reset all is as at the beginning');
  }),
);

t('a text of one’s own turn by turn: one begin, an end behind each answer', () =>
  withTalk(templateOf('U {instruction} A {output}'), async (talk) => {
    const first = await ask(talk, 'a');
    const start = tokenizer.encode('U a A ', { bos: true });
    assert.is(first.read, start.length);
    const second = await ask(talk, 'b');
    const ids = [...start, ...first.ids, 2, ...tokenizer.encode('U b A ', { after: 'a' })];
    assert.equal(second.ids, await whole(ids));
  }),
);

t('stopping an answer keeps the chat, and what was said of it', () =>
  withTalk(chat, async (talk) => {
    const said = await talk.say('a word', () => true);
    assert.is(said.reason, 'stopped');
    const next = await ask(talk, 'more');
    assert.is(next.read, [END, ...encode(`\n${turnOf('more')}`)].length + 1);
  }),
);

t('a full context is said, and the turn that does not fit is as if not said', () =>
  withTalk(
    chat,
    async (talk) => {
      const first = await ask(talk, 'a');
      const { length } = encode(`<s>${turnOf('a')}`);
      assert.is(first.tokens, length + first.ids.length);
      await talk
        .say('b'.repeat(60), () => false)
        .then(
          () => assert.unreachable(),
          (error: Error) => assert.match(error.message, /the context is full[^]*room for 40[^]*\/reset/),
        );
      talk.reset();
      assert.equal((await ask(talk, 'a')).ids, first.ids);
    },
    40,
  ),
);

t('a system that has no place in the template', () =>
  withDevice(async (device) => {
    const session = await openModel(device, model, randomValues(model), {
      generation: { batch: 1, tokens: PIECE, context: 40, extend: true },
    });
    const options = { tokenizer, system: 'S', maxTokens: 5, pick: argmax };
    const talk = createTalk(makeDecoder(session), templateOf('{instruction} {output}'), options);
    await talk
      .say('a', () => false)
      .then(
        () => assert.unreachable(),
        (error: Error) => assert.match(error.message, /no place in the template[^]*\{system\}/),
      );
  }),
);

t.run();
