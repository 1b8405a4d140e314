import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chatTemplate, type ChatTokens, type Message } from '../../runtime/data/chat-template.ts';
import { Report } from '../../runtime/golden/compare.ts';
import { type RecordedChat, runChat } from '../../runtime/golden/hf/chat.ts';
import { withShared } from '../shared.ts';

const t = suite('chat template');

const chatml =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
const tokens: ChatTokens = { bos: null, eos: '<|im_end|>', ends: ['<|im_end|>'] };
const user = (content: string): Message => ({ role: 'user', content });
const answer = (content: string): Message => ({ role: 'assistant', content });

/** The pieces as text, what is learned in brackets. */
const shown = (text: string, messages: readonly Message[], of = tokens): string =>
  chatTemplate(text, of, 'model')
    .pieces(messages)
    .map((piece) => (piece.learned ? `[${piece.text}]` : piece.text))
    .join('');

t('the assistant’s turns and the token that ends each are learned, nothing else', () => {
  assert.is(
    shown(chatml, [user('a'), answer('b'), user('c'), answer('d')]),
    '<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n[b<|im_end|>]\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n[d<|im_end|>]\n',
  );
});

t('an answer that is said by the user before is not mistaken for it; empty answers end all the same', () => {
  assert.match(
    shown(chatml, [user('b'), answer('b')]),
    /user\nb<\|im_end\|>\n<\|im_start\|>assistant\n\[b<\|im_end\|>\]/,
  );
  assert.match(shown(chatml, [user('b'), answer('')]), /assistant\n\[<\|im_end\|>\]/);
});

t('an answer that the template trims is not looked for in a later turn that repeats it', () => {
  const trims = chatml.replace('m.content', '(m.content | trim)');
  assert.is(
    shown(trims, [user('a'), answer(' yes'), user('you said yes'), answer('no ')]),
    '<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n[yes<|im_end|>]\n<|im_start|>user\nyou said yes<|im_end|>\n<|im_start|>assistant\n[no<|im_end|>]\n',
  );
  const thought = '<think>a</think>';
  assert.match(shown(chatml, [user('b'), answer(thought)]), /\[<think>a<\/think><\|im_end\|>\]/);
  assert.match(shown(trims, [user('b'), answer('  ')]), /assistant\n\[<\|im_end\|>\]/);
});

t('a space that the template puts in front of an answer belongs to the answer', () => {
  const mistral =
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}";
  const of = { bos: '<s>', eos: '</s>', ends: ['</s>'] };
  assert.is(shown(mistral, [user('a'), answer('b')], of), '<s>[INST] a [/INST][ b</s>]');
});

t('a template that writes earlier turns otherwise', () => {
  // The last answer shows an empty thought; earlier ones do not, so no prompt with a reply begins the whole.
  const thinking =
    "{% for m in messages %}{{ '<' + m.role + '>' }}{% if m.role == 'assistant' and loop.last %}{{ '<think></think>' }}{% endif %}{{ m.content + '<end>' }}{% endfor %}{% if add_generation_prompt %}{{ '<assistant><think>' }}{% endif %}";
  const of = { bos: null, eos: '<end>', ends: ['<end>'] };
  assert.is(
    shown(thinking, [user('a'), answer('b'), user('c'), answer('d')], of),
    '<user>a<end><assistant>[b<end>]<user>c<end><assistant><think>[</think>d<end>]',
  );
});

t('a template that refuses, one that is none, one that loses the answer', () => {
  const fails = (text: string, messages: readonly Message[], pattern: RegExp): void => {
    assert.throws(() => shown(text, messages), pattern);
  };
  fails(
    "{{ raise_exception('no system here') }}",
    [user('a')],
    /refuses a conversation of user: no system here/,
  );
  fails('{% for %}', [user('a')], /model: the chat template cannot be read/);
  fails('{{ messages[0].content }}', [user('a'), answer('b')], /turn 2 \(assistant\) cannot be found/);
});

withShared(
  t,
  'recorded strings of eleven released templates, and what of them is learned',
  async (shared) => {
    const root = join(shared, 'golden-hf', 'chat');
    const files = readdirSync(root);
    assert.ok(files.length >= 11);
    let learning = 0;
    for (const file of files) {
      const report = new Report();
      await runChat(join(root, file), report);
      assert.equal(report.failures, [], file);
      assert.ok(report.worst.has('texts'), file);
      const recorded = JSON.parse(readFileSync(join(root, file), 'utf8')) as RecordedChat;
      const { bos_token: bos, eos_token: eos } = recorded;
      const ends = [eos ?? '', '<end_of_turn>', '<|eot_id|>', '<|end|>', '<|im_end|>', '</s>'];
      const template = chatTemplate(recorded.chat_template, { bos, eos, ends }, file);
      for (const { messages, add_generation_prompt: reply, kwargs, expected } of recorded.cases) {
        const answers = messages.filter(({ role }) => role === 'assistant');
        if (Object.keys(kwargs).length > 0 || expected === undefined || reply || answers.length === 0)
          continue;
        const pieces = template.pieces(messages);
        assert.is(pieces.map(({ text }) => text).join(''), expected);
        const learned = pieces.filter((piece) => piece.learned);
        assert.is(learned.length, answers.length, file);
        learning++;
        learned.forEach(({ text }, i) => {
          const said = (answers[i]?.content ?? '').split('</think>').at(-1)?.trim() ?? '';
          assert.ok(text.includes(said), `${file} ${text}`);
          assert.ok(
            ends.some((end) => end !== '' && text.endsWith(end)),
            `${file} ${JSON.stringify(text)} ends with no token that ends a turn`,
          );
        });
      }
    }
    assert.ok(learning >= 11, `${learning} conversations are learned`);
  },
);

t.run();
