/** Experts as a user of `graft generate` meets them. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cleanText } from '../../runtime/experts/text.ts';
import { graftEach, type Outcome, startGraft } from '../cli/processes.ts';
import { withDevice } from '../compiler/sessions.ts';
import { makePictureProject } from '../images/sees.ts';
import { noise, png } from '../images/make.ts';
import { hasEnded } from './alive.ts';
import { signPng } from './sign.ts';

const t = suite('experts on the command line');

let folder = '';
let server: Server;
let received = 0;
t.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'graft-experts-'));
  await makePictureProject(folder);
  writeFileSync(join(folder, 'sign.png'), await signPng(['OPEN']));
  writeFileSync(join(folder, 'other.png'), await signPng(['TAXI'], 'red-apple'));
  writeFileSync(join(folder, 'one.png'), await png(noise(20, 14)));
  writeFileSync(join(folder, 'broken.png'), (await png(noise(30, 30))).subarray(0, 900));
  server = createServer((request, response) => {
    received++;
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"text": "ab\\u0007cab", "confidence": 0.5}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  specs(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
t.after(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function specs(address: string): void {
  const write = (name: string, head: string, experts: string): void =>
    writeFileSync(join(folder, `${name}.adapter`), `${head} {\n${experts}\n}\n`);
  const seeing = (name: string, experts: string): void =>
    write(name, 'import "sees.adapter"\nadapter Reads extends Sees', experts);
  seeing('reads', 'expert ocr { run = ocr()  say = "T {text}"  timeout = 100 }');
  write(
    'blind',
    'import "spec.adapter"\nadapter Blind extends Pair',
    'expert ocr { run = ocr()  timeout = 100  length = 30 }  expert note { say = "N {text}" }',
  );
  seeing('web', `expert web { run = http("${address}")  timeout = 100 }`);
  seeing(
    'bad',
    `expert hangs   { run = command("sleep 1000")  timeout = 1 }
     expert crashes { run = command("sh -c 'echo no model >&2; exit 3'") }
     expert floods  { run = command("node floods.mjs") }
     expert absent  { run = command("no-such-program") }
     expert long    { run = command("node long.mjs")  length = 4 }
     expert throws  { run = command("node throws.mjs") }
     expert tongue  { run = ocr(language: "tlh") }
     expert finds   { run = detect("no.onnx", labels: "no.names") }
     expert nobody  {}`,
  );
  const script = (name: string, text: string): void => writeFileSync(join(folder, `${name}.mjs`), text);
  script('floods', "process.stdout.write('\\u0007'.repeat(2 ** 20))");
  script('long', "console.log('ab'.repeat(999))");
  script('throws', 'console.log(nothing)');
  const captioner = (name: string, run: string): void =>
    seeing(name, `expert captioner { run = caption(${run})  say = "C {text}"  timeout = 200 }`);
  captioner('captioned', '"sees.adapter:Sees", adapter: "turns/adapter.safetensors", tokens: 5');
  captioner('asked', '"sees.adapter:Sees", adapter: "turns/adapter.safetensors", ask: "cab", tokens: 5');
  captioner('packaged', '"built", adapter: "turns/adapter.safetensors", tokens: 5');
  captioner('itself', '"itself.adapter", tokens: 5');
  captioner('sightless', '"spec.adapter"');
  captioner('untrained', '"sees.adapter:Sees", adapter: "nowhere.safetensors"');
  captioner('mistaken', '"mistaken.txt"');
  seeing('hurried', 'expert captioner { run = caption("sees.adapter:Sees")  timeout = 0.001 }');
  writeFileSync(join(folder, 'mistaken.txt'), 'adapter X on nothing {}');
}

const ask = (spec: string, ...rest: string[]): string[] => [
  ...['generate', `${spec}.adapter`, '--max-tokens', '5'],
  ...rest,
];
const trained = ['--adapter', 'turns/adapter.safetensors'];
const sign = ['--ask', 'abc', '--image', 'sign.png'];
const look = (...rest: string[]): string[] => ['--ask', 'abc', '--image', 'one.png', '--verbose', ...rest];

const lines: Readonly<Record<string, readonly string[]>> = {
  train: ['train', 'sees.adapter:Sees', '--recipe', 'turns', '--out', 'turns'],
  build: ['build', 'sees.adapter:Sees', '--recipe', 'turns', '--out', 'built'],
  caption: ['generate', 'sees.adapter:Sees', ...trained, '--image', 'one.png', '--max-tokens', '5'],
  read: ask('reads', ...sign, '--verbose'),
  quiet: ask('reads', ...sign),
  without: ask('reads', ...sign, '--verbose', '--no-experts'),
  two: ask('reads', ...sign, '--ask', 'cab', '--image', 'other.png', '--verbose'),
  shared: ask('reads', ...sign, '--ask', 'cab', '--prompt', 'c', '--verbose'),
  given: ask('reads', '--ask', 'abc', '--verbose', '--expert', 'ocr=SALE\n### no'),
  lying: ask('reads', ...sign, '--verbose', '--expert', 'ocr=SALE'),
  left: ask('reads', ...sign, '--verbose', '--expert', 'ocr='),
  long: ask('reads', '--ask', 'abc', '--verbose', '--expert', `ocr=${'abc'.repeat(50)}`),
  blind: ask('blind', ...sign, '--verbose', '--expert', 'note=b'),
  forbidden: ask('web', ...look()),
  web: ask('web', ...look('--allow', 'http')),
  bad: ask('bad', ...look('--allow', 'command,http')),
  plain: ask('bad', '--ask', 'abc', '--image', 'one.png', '--no-experts'),
  captioned: ask('captioned', ...look()),
  asked: ask('asked', ...look()),
  packaged: ask('packaged', ...look()),
  itself: ask('itself', ...look()),
  sightless: ask('sightless', ...look()),
  untrained: ask('untrained', ...look()),
  mistaken: ask('mistaken', ...look()),
  hurried: ask('hurried', ...look()),
  manifest: ['build', 'reads.adapter', '--profile', 'gpu', '--recipe', 'turns', '--out', 'package'],
  show: ['show', 'captioned.adapter'],
  raw: ask('reads', '--prompt', 'abc', '--image', 'sign.png', '--verbose'),
  rawBlind: ask('blind', '--prompt', 'abc', '--image', 'sign.png'),
  unknown: ask('reads', '--ask', 'abc', '--expert', 'ocrs=x'),
  none: ask('sees', '--ask', 'abc', '--expert', 'ocr=x'),
  noText: ask('reads', '--ask', 'abc', '--expert', 'ocr'),
  nowhere: ask('reads', '--prompt', 'abc', '--expert', 'ocr=x'),
  allowed: ask('reads', '--ask', 'abc', '--allow', 'shell'),
  broken: ask('blind', '--ask', 'abc', '--image', 'broken.png'),
  missing: ask('blind', '--ask', 'abc', '--image', 'missing.png'),
};

let ran: Promise<ReadonlyMap<string, Outcome>> | null = null;

/** All command lines share one process, since starting one is slow. */
async function outcome(name: string): Promise<Outcome> {
  ran ??= graftEach(Object.values(lines), folder).then(
    (outcomes) => new Map(Object.keys(lines).map((key, i) => [key, outcomes[i] as Outcome])),
  );
  return (await ran).get(name) as Outcome;
}

/** What a command line that succeeds prints. */
async function answered(name: string): Promise<Outcome> {
  const result = await outcome(name);
  assert.is(result.code, 0, `${name}: ${result.err}`);
  assert.not.match(result.err, /internal error|bug of graft|\n {4}at /, `${name}: no trace`);
  return result;
}

async function says(name: string, ...words: (string | RegExp)[]): Promise<void> {
  const { err } = await answered(name);
  for (const word of words)
    assert.ok(typeof word === 'string' ? err.includes(word) : word.test(err), `${name}: ${word}\n${err}`);
}

async function fails(name: string, code: number, ...words: RegExp[]): Promise<void> {
  const { code: actual, err } = await outcome(name);
  assert.is(actual, code, `${name}: exit code ${actual}\n${err}`);
  for (const word of words) assert.match(err, word, `${name}: ${err}`);
}

const test = (name: string, run: () => Promise<void>): void => t(name, () => withDevice(run));

test('the text on a sign reaches the prompt', async () => {
  await says('read', /expert ocr: "OPEN" \(\d+\.\d s, confidence 0\.\d\d\)/);
  await says('read', 'without experts: "abc="\n"T OPEN\\nabc="\n');
  const { err } = await answered('quiet');
  assert.not.match(err, /expert|OPEN/, 'nothing is told unless something went wrong');
  assert.is((await answered('quiet')).out, (await answered('read')).out);
});

test('without experts the prompt is the question', async () => {
  await says('without', /^"abc="\n/m);
  assert.not.match((await answered('without')).err, /expert/);
});

test('each question gets what was read off its own image', async () => {
  await says('two', 'sign.png: expert ocr: "OPEN"', 'other.png: expert ocr: "TAXI"');
  await says('two', '\n"T OPEN\\nabc="\n', '\n"T TAXI\\ncab="\n');
  await says('shared', '\n"T OPEN\\nabc="\n', '\n"T OPEN\\ncab="\n', '\n"c"\n');
});

test('a text by hand stands in for the expert, with an image or without', async () => {
  await says('given', 'expert ocr: "SALE ### no" (by hand)', '\n"T SALE ### no\\nabc="\n');
  await says('lying', 'expert ocr: "SALE" (by hand)', '\n"T SALE\\nabc="\n');
  assert.not.match((await answered('lying')).err, /OPEN/);
  await says('left', /^"abc="\n/m);
});

test('a text that does not fit into the context is left out', async () => {
  await says('long', /expert ocr is left out: with it the prompt has \d+ tokens, the context of `small` 48/);
  await says('long', /^"abc="\n/m);
});

test('a model that looks at no image has experts who do', async () => {
  await says('blind', 'expert ocr: "OPEN"', 'expert note: "b" (by hand)', '"OPEN\\nN b\\nabc="');
});

test('an endpoint is asked only when that is allowed', async () => {
  await says(
    'forbidden',
    /expert web is left out: `http\("http:.*"\)` runs only with `--allow http`/,
    '"abc="',
  );
  await says('web', 'expert web: "ab cab"', 'confidence 0.50', '"ab cab\\nabc="');
  assert.is(received, 1);
});

test('whatever experts do, the question is answered, and each reason is told', async () => {
  await says(
    'bad',
    'expert hangs is left out: no answer within 1 s',
    'expert crashes is left out: `sh` ended with 3: no model',
    'expert floods is left out: it gave nothing but blanks and control characters',
    'expert absent is left out: `no-such-program` does not start: there is no such program',
    'expert long: "abab" (',
    'expert throws is left out: `node` ended with 1: ReferenceError: nothing is not defined',
    'cut to 4 characters',
    'expert tongue is left out: the language `tlh` of Tesseract is not installed',
    /expert finds is left out: cannot read .*no\.onnx: there is no such file/,
    'expert nobody is left out: the spec does not say how to run it (`run`)',
    '\n"abab\\nabc="\n',
  );
  const { out } = await answered('bad');
  assert.ok(out.trimEnd().length > 0 && (await answered('plain')).out.length > 0);
});

test('a captioner is a spec of Graft with what it has learned', async () => {
  await answered('train');
  const caption = cleanText((await answered('caption')).out);
  assert.ok(caption.length > 0, 'the test needs a caption that is not empty');
  await says('captioned', `expert captioner: ${JSON.stringify(caption)} (`, /confidence 0\.\d\d/);
  await says('captioned', `\n${JSON.stringify(`C ${caption}\nabc=`)}\n`);
  await says('asked', /expert captioner[: ]/);
});

test('or a package', async () => {
  await answered('build');
  const told = async (name: string): Promise<string | undefined> =>
    /expert captioner: (".*") \(/.exec((await answered(name)).err)?.[1];
  assert.type(await told('packaged'), 'string');
  assert.is(await told('packaged'), await told('captioned'));
});

test('a captioner’s own experts are not asked, so that it may be itself', async () => {
  await says('itself', /expert captioner[: ]/, /^".*abc="$/m);
});

test('a captioner that cannot be opened is left out', async () => {
  await says('sightless', /expert captioner is left out: `Pair` looks at no image/);
  await says('untrained', /expert captioner is left out: cannot read .*nowhere\.safetensors/);
  await says('mistaken', /expert captioner is left out: error\[A102\]: there is no base `nothing`/);
});

test('a captioner that is late is not waited for', async () => {
  await says('hurried', 'expert captioner is left out: no answer within 0.001 s', '\n"abc="\n');
});

test('a package and `show` say which experts there are', async () => {
  await answered('manifest');
  const { experts } = JSON.parse(readFileSync(join(folder, 'package/manifest.json'), 'utf8')) as {
    experts: { name: string; say: string; run: unknown }[];
  };
  assert.equal(
    experts.map(({ name, say, run }) => ({ name, say, run })),
    [{ name: 'ocr', say: 'T {text}', run: { kind: 'ocr', language: 'eng', confidence: 0.6 } }],
  );
  const { out } = await answered('show');
  assert.match(out, /^expert +captioner +caption sees\.adapter:Sees +"C \{text\}"$/m);
});

test('a prompt is taken as it is', async () => {
  await says('raw', /^"abc"\n/m);
  assert.not.match((await answered('raw')).err, /expert/);
});

test('command lines that make no sense', async () => {
  await fails('unknown', 2, /`Reads` has no expert 'ocrs'; did you mean 'ocr'\?/);
  await fails('none', 2, /`Whole` has no expert 'ocr'; it has none/);
  await fails('noText', 2, /--expert takes NAME=TEXT, not 'ocr'/);
  await fails('nowhere', 2, /--expert goes with --ask/);
  await fails('rawBlind', 1, /`Blind` looks at no image/);
  await fails('allowed', 2, /--allow takes http or command, not 'shell'/);
  await fails('broken', 1, /broken\.png: it cannot be decoded/, /give a PNG, JPEG or WebP/);
  await fails('missing', 1, /cannot read .*missing\.png/);
});

test('Ctrl-C ends what an expert has started', async () => {
  const line = "sh -c 'sleep 1000 & echo $! > pid; wait'";
  writeFileSync(
    join(folder, 'stuck.adapter'),
    `import "spec.adapter"\nadapter Stuck extends Pair { expert stuck { run = command("${line}")  timeout = 1000 } }\n`,
  );
  const child = startGraft(ask('stuck', '--ask', 'abc', '--image', 'one.png', '--allow', 'command'), folder);
  const ended = once(child, 'exit');
  const pid = join(folder, 'pid');
  const written = (): boolean => existsSync(pid) && readFileSync(pid, 'utf8') !== '';
  while (!written() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  assert.equal(await ended, [null, 'SIGINT']);
  assert.ok(await hasEnded(Number(readFileSync(pid, 'utf8'))));
});

t.run();
