/** The endpoint, against a server of our own. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { askExperts } from '../../runtime/experts/ask.ts';
import type { Answer, Sight } from '../../runtime/experts/expert.ts';
import { openExpert } from '../../runtime/experts/node.ts';
import { noise, png } from '../images/make.ts';

const t = suite('experts: http');

const requests: { method: string; type: string; accept: string; body: Buffer }[] = [];
let hung = 0;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const send = (response: ServerResponse, status: number, type: string, body: string | Buffer): unknown =>
  response.writeHead(status, { 'content-type': type }).end(body);

const routes: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  '/json': (r) =>
    send(r, 200, 'application/json; charset=utf-8', '{"text": "a wet street", "confidence": 0.75}'),
  '/unsure': (r) => send(r, 200, 'application/json', '{"text": "x", "confidence": "very"}'),
  '/plain': (r) => send(r, 200, 'text/plain', 'a dry\nstreet'),
  '/braces': (r) => send(r, 200, 'text/plain', '{"text": "as it is"}'),
  '/list': (r) => send(r, 200, 'application/json', '["a"]'),
  '/half': (r) => send(r, 200, 'application/json', '{"text": "a'),
  '/500': (r) => send(r, 500, 'text/plain', 'first\nout of \u001b[31mmemory\n'),
  '/moved': (r) => r.writeHead(307, { location: '/json' }).end(),
  '/flood': (r) => send(r, 200, 'text/plain', '\u0007'.repeat(2 ** 20)),
  '/endless': (r) => {
    r.writeHead(200, { 'content-type': 'text/plain' });
    const more = (): void => void (r.write('x'.repeat(2 ** 20)) ? setImmediate(more) : r.once('drain', more));
    more();
  },
  '/cut': (r) => {
    r.writeHead(200, { 'content-type': 'text/plain', 'content-length': '100' });
    r.write('some');
    setTimeout(() => r.destroy(), 20);
  },
  '/hang': (r) => r.on('close', () => hung++),
  '/drip': (r) => {
    r.writeHead(200, { 'content-type': 'text/plain' });
    r.write('a');
    r.on('close', () => hung++);
  },
};

let server: Server;
let root = '';
let sight: Sight;
t.before(async () => {
  const bytes = await png(noise(8, 8));
  sight = { bytes, path: null, picture: () => Promise.reject(new Error('not asked for')) };
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { 'content-type': type = '', accept = '' } = request.headers;
      requests.push({ method: request.method ?? '', type, accept, body });
      routes[request.url ?? '']?.(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
t.after(() => {
  server.closeAllConnections();
  server.close();
});

async function ask(address: string, { allowed = true, timeout = 20 } = {}): Promise<Answer> {
  const span = { file: '', start: 0, end: 0 };
  const expert = openExpert(
    { name: 'web', run: { kind: 'http', address }, say: '{text}', timeout, length: 300, span },
    { allow: new Set(allowed ? ['http'] : []), openCaptioner: () => Promise.reject(new Error('none')) },
  );
  const [[answer] = []] = await askExperts([expert], [sight]);
  assert.ok(answer);
  return answer;
}

t('posts the file and reads JSON or text', async () => {
  const { outcome, text, confidence } = await ask(`${root}/json`);
  assert.equal([outcome, text, confidence], ['answered', 'a wet street', 0.75]);
  const request = requests.at(-1);
  assert.equal([request?.method, request?.type], ['POST', 'image/png']);
  assert.equal(request?.body, Buffer.from(sight.bytes));
  assert.equal(
    [(await ask(`${root}/unsure`)).confidence, (await ask(`${root}/plain`)).text],
    [null, 'a dry street'],
  );
  assert.is((await ask(`${root}/braces`)).text, '{"text": "as it is"}');
});

t('without permission nothing is sent', async () => {
  const before = requests.length;
  const { outcome, note } = await ask(`${root}/json`, { allowed: false });
  assert.is(outcome, 'refused');
  assert.match(note, /runs only with `--allow http`/);
  assert.is(requests.length, before);
});

t('whatever it answers, the reason is told', async () => {
  const says = async (path: string, outcome: Answer['outcome'], note: RegExp): Promise<void> => {
    const answer = await ask(path.startsWith('/') ? root + path : path);
    assert.equal([path, answer.outcome, answer.text], [path, outcome, '']);
    assert.match(answer.note, note);
  };
  await says('/list', 'failed', /JSON that has no `text`/);
  await says('/half', 'failed', /JSON that cannot be read/);
  await says('/500', 'failed', /answered 500: out of memory$/);
  await says('/moved', 'failed', /answered 307: moved to \/json, which is not followed/);
  await says('/flood', 'empty', /nothing but blanks and control characters/);
  await says('/endless', 'failed', /longer than 8 MiB/);
  await says('/cut', 'failed', /\S/);
  const free = await freePort();
  await says(`http://127.0.0.1:${free}/`, 'failed', /cannot be reached: .*ECONNREFUSED/);
});

t('one that hangs, at once or in the middle, is hung up', async () => {
  for (const path of ['/hang', '/drip']) {
    const before = hung;
    const { outcome, note } = await ask(root + path, { timeout: 0.2 });
    assert.equal([outcome, note], ['late', 'no answer within 0.2 s']);
    for (let i = 0; i < 200; i++)
      if (hung === before) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.is(hung, before + 1, `${path}: the connection is closed`);
  }
});

/** A port nobody listens on. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

t.run();
