/** Where experts' texts stand in a prompt. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { alpaca, fillPrompt, templateOf } from '../../runtime/data/templates.ts';
import { contextFor, withContext } from '../../runtime/experts/context.ts';

const t = suite('experts: context');

const experts = [
  { name: 'captioner', say: 'Caption: {text}' },
  { name: 'ocr', say: 'Text in the image: {text}' },
];
const said = (name: string, text: string) => ({ name, text });

t('a line for each expert that has a text, in the order of the spec', () => {
  assert.is(
    contextFor(experts, [said('ocr', 'OPEN'), said('captioner', 'A door.')]),
    'Caption: A door.\nText in the image: OPEN',
  );
  assert.is(contextFor(experts, [said('captioner', ''), said('ocr', 'OPEN')]), 'Text in the image: OPEN');
  assert.is(contextFor(experts, [said('captioner', ''), said('unknown', 'x')]), '');
  assert.is(contextFor([], [said('ocr', 'OPEN')]), '');
});

t('a text is put in as it is', () => {
  assert.is(
    contextFor(experts, [said('ocr', '$& $1 {text} {{x}} {output}')]),
    'Text in the image: $& $1 {text} {{x}} {output}',
  );
});

t('the input of Alpaca‘s template is where it goes, and its other variant is taken', () => {
  const record = { instruction: 'What does it say?' };
  const prompt = fillPrompt(alpaca, withContext(alpaca, record, 'Text: OPEN {output}'));
  assert.match(prompt, /paired with an input that provides further context/);
  assert.match(
    prompt,
    '### Instruction:\nWhat does it say?\n\n### Input:\nText: OPEN {output}\n\n### Response:',
  );
  assert.is(fillPrompt(alpaca, withContext(alpaca, record, '')), fillPrompt(alpaca, record));
});

t('an input that is there stays in front', () => {
  const record = { instruction: 'Translate', input: 'auf' };
  assert.equal(withContext(alpaca, record, 'Text: zu'), { instruction: 'Translate', input: 'auf\nText: zu' });
});

t('without a place for an input it stands in front of the instruction', () => {
  const plain = templateOf('### {instruction}###{output}');
  assert.is(
    fillPrompt(plain, withContext(plain, { instruction: 'Read' }, 'Text: OPEN')),
    '### Text: OPEN\nRead###',
  );
  const own = templateOf('Q {instruction} I {input} A{output}');
  assert.is(fillPrompt(own, withContext(own, { instruction: 'Read' }, 'OPEN')), 'Q Read I OPEN A');
  const braces = templateOf('{{input}} {instruction}{output}');
  assert.is(fillPrompt(braces, withContext(braces, { instruction: 'Read' }, 'OPEN')), '{input} OPEN\nRead');
});

t.run();
