/** A web server over files in memory, on this machine only. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Files = ReadonlyMap<string, string | Uint8Array>;

export interface WebServer {
  /** Without a slash at the end. */
  readonly origin: string;
  /** What was asked for: `200 /page.js`, `206 /base.safetensors bytes=0-99`. */
  readonly log: readonly string[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  json: 'application/json',
  wgsl: 'text/plain',
};

/** Serves files by path, such as `/index.html`; `ranges: false` is a server that ignores `range`. */
export async function serve(files: Files, options: { readonly ranges?: boolean } = {}): Promise<WebServer> {
  const log: string[] = [];
  const server = createServer((request, response) => {
    const status = answer(files, options.ranges ?? true, request, response);
    log.push([status, request.url, request.headers.range].filter((part) => part !== undefined).join(' '));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    log,
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

function answer(files: Files, ranges: boolean, request: IncomingMessage, response: ServerResponse): number {
  const path = request.url ?? '';
  const file = files.get(path);
  if (file === undefined) {
    response.writeHead(404).end();
    return 404;
  }
  const bytes = Buffer.from(file);
  const type = TYPES[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
  const range = ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') : null;
  if (!range) {
    response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
    return 200;
  }
  const [from, to] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
  const headers = {
    'content-type': type,
    'content-length': to + 1 - from,
    'content-range': `bytes ${from}-${to}/${bytes.length}`,
  };
  response.writeHead(206, headers).end(bytes.subarray(from, to + 1));
  return 206;
}
