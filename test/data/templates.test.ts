/** Templates: those of Alpaca byte for byte, and strings with fields. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { alpaca, fill, fillPrompt, templateOf } from '../../runtime/data/templates.ts';
import { short } from './loading.ts';

const t = suite('templates');

t("Alpaca's templates, byte for byte", () => {
  assert.equal(fill(alpaca, { instruction: 'Do it.', input: '', output: 'Done.' }, 'x'), {
    prompt:
      'Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\nDo it.\n\n### Response:',
    output: 'Done.',
  });
  assert.equal(fill(alpaca, { instruction: 'Do it.', input: 'this', output: 'Done.' }, 'x'), {
    prompt:
      'Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\nDo it.\n\n### Input:\nthis\n\n### Response:',
    output: 'Done.',
  });
  assert.is(
    fill(alpaca, { instruction: 'a', output: 'b' }, 'x').prompt,
    fill(alpaca, { instruction: 'a', input: '', output: 'b' }, 'x').prompt,
  );
});

t('templates as strings', () => {
  assert.equal(fill(short, { instruction: 'plural of dog', output: 'dogs' }, 'x'), {
    prompt: '### plural of dog###',
    output: 'dogs',
  });
  const after = templateOf('{{{instruction}}} -> {output}!');
  assert.equal(fill(after, { instruction: '{output}', output: 'x' }, 'x'), {
    prompt: '{{output}} -> ',
    output: 'x!',
  });
  assert.is(fillPrompt(short, { instruction: 'hi' }), '### hi###');
  assert.is(templateOf('alpaca'), alpaca);
  assert.throws(() => templateOf('no field'), /has no `\{output\}`[\s\S]*alpaca/);
  assert.throws(() => templateOf('{output}{output}'), /2 times/);
  assert.throws(
    () => fill(short, { output: 'x' }, 'f:3'),
    /f:3: no field `instruction`[\s\S]*the record has output/,
  );
  assert.throws(
    () => fill(short, { instruction: ['a'], output: 'x' }, 'f:3'),
    /`instruction` is a list, not text/,
  );
});

t.run();
