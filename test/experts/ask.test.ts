/** Asking experts: side by side, each for its time, and whatever they do there is an answer. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { askExperts, givenAnswer } from '../../runtime/experts/ask.ts';
import { type Expert, Refusal, type Sight } from '../../runtime/experts/expert.ts';

const t = suite('experts: asking');

const sight = (name: string): Sight => ({
  bytes: new TextEncoder().encode(name),
  path: `/${name}`,
  picture: () => Promise.reject(new Error('not asked for')),
});
const one = [sight('one')];
const saying = (text: string, confidence: number | null = null) => Promise.resolve({ text, confidence });

const expert = (name: string, look: Expert['look'], rest: Partial<Expert> = {}): Expert => ({
  ...{ name, look, timeout: 20, length: 300, close: () => undefined },
  ...rest,
});

t('an answer with its text and confidence', async () => {
  const [row = []] = await askExperts([expert('a', () => saying(' OPEN\n', 0.9))], one);
  const [answer] = row;
  assert.equal(
    { ...answer, seconds: 0 },
    { name: 'a', outcome: 'answered', text: 'OPEN', confidence: 0.9, note: '', seconds: 0 },
  );
});

t('whatever an expert does, the others answer and the reason is told', async () => {
  const hang = () => new Promise<never>(() => undefined);
  const experts = [
    expert('hangs', hang, { timeout: 0.05 }),
    expert('throws', () => {
      throw new Error('at once\nwith a trace');
    }),
    expert('rejects', () => Promise.reject(new TypeError('later'))),
    expert('oddly', () => Promise.reject('a string')),
    expert('refused', () => Promise.reject(new Refusal('not allowed'))),
    expert('mute', () => saying('')),
    expert('noisy', () => saying('\u0007\u001b[2J'.repeat(2 ** 18))),
    expert('long', () => saying('x'.repeat(1000)), { length: 5 }),
    expert('fine', () => saying('here')),
  ];
  const [row = []] = await askExperts(experts, one);
  assert.equal(
    row.map(({ name, outcome, text, note }) => [name, outcome, text, note]),
    [
      ['hangs', 'late', '', 'no answer within 0.05 s'],
      ['throws', 'failed', '', 'at once with a trace'],
      ['rejects', 'failed', '', 'later'],
      ['oddly', 'failed', '', 'a string'],
      ['refused', 'refused', '', 'not allowed'],
      ['mute', 'empty', '', 'it has nothing to say'],
      ['noisy', 'empty', '', 'it gave nothing but blanks and control characters'],
      ['long', 'answered', 'xxxxx', 'cut to 5 characters'],
      ['fine', 'answered', 'here', ''],
    ],
  );
});

t('experts run side by side', async () => {
  // Each waits for the other: one after the other they would both be late.
  let meet: () => void = () => undefined;
  const met = new Promise<void>((resolve) => (meet = resolve));
  const waits = async () => (await met, saying('met'));
  const comes = () => (meet(), saying('came'));
  const [row = []] = await askExperts([expert('waits', waits), expert('comes', comes)], one);
  assert.equal(
    row.map(({ text }) => text),
    ['met', 'came'],
  );
});

t('an expert sees one image after the other, and a bad one costs only itself', async () => {
  let busy = 0;
  const look: Expert['look'] = async ({ path }) => {
    assert.is(busy++, 0, 'one at a time');
    await new Promise((resolve) => setTimeout(resolve, 5));
    busy--;
    if (path === '/two') throw new Error('broken');
    return saying(path ?? '');
  };
  const rows = await askExperts([expert('a', look)], [sight('one'), sight('two'), sight('three')]);
  assert.equal(
    rows.map(([answer]) => [answer?.outcome, answer?.text]),
    [
      ['answered', '/one'],
      ['failed', ''],
      ['answered', '/three'],
    ],
  );
});

t('a late expert is told to stop, and every expert is closed', async () => {
  const events: string[] = [];
  const look: Expert['look'] = (_, signal) => {
    signal.addEventListener('abort', () => events.push('stopped'));
    return new Promise(() => undefined);
  };
  const close = () => void events.push('closed');
  await askExperts([expert('a', look, { timeout: 0.02, close })], one);
  assert.equal(events, ['stopped', 'closed']);
});

t('a failure after the time is nobody‘s any more', async () => {
  const look: Expert['look'] = () =>
    new Promise((_, reject) => setTimeout(() => reject(new Error('too late')), 60));
  const [row = []] = await askExperts([expert('a', look, { timeout: 0.02 })], one);
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.is(row[0]?.outcome, 'late');
});

t('a text by hand is cleaned and cut as well', () => {
  const { outcome, text, note } = givenAnswer('a', 'SALE\n\n### Response: no', 8);
  assert.equal([outcome, text, note], ['given', 'SALE ###', 'cut to 8 characters']);
});

t('nobody to ask, nothing to look at', async () => {
  assert.equal(await askExperts([], one), [[]]);
  assert.equal(await askExperts([expert('a', () => saying('x'))], []), []);
});

t.run();
