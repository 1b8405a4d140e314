/** A server that answers as the hub's API does, with files of the test's own and with faults on demand. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HubServer {
  readonly url: string;
  /** Requests for contents: path and the first byte asked for. */
  readonly served: { readonly path: string; readonly from: number }[];
  /** Ends the next so many responses for contents of this file after `after` bytes. */
  breakOff(path: string, after: number, times: number): void;
  close(): Promise<void>;
}

export const SHA = '0123456789abcdef0123456789abcdef01234567';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const gitOid = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/**
 * Serves `org/model`.
 * @param files contents by name; names ending in .safetensors are large files with a SHA-256
 * @param listed contents to announce instead, by name
 */
export async function startHub(
  files: Readonly<Record<string, Uint8Array>>,
  listed: Readonly<Record<string, Uint8Array>> = {},
  token?: string,
): Promise<HubServer> {
  const served: { path: string; from: number }[] = [];
  const faults = new Map<string, { after: number; times: number }>();
  const isLarge = (name: string): boolean => name.endsWith('.safetensors');
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://hub');
    const json = (value: unknown, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      return json({ error: 'gated' }, 401);
    if (/^\/api\/models\/org\/model(\/revision\/\w+)?$/.test(url.pathname))
      return json({
        _id: '1',
        id: 'org/model',
        sha: SHA,
        private: false,
        downloads: 0,
        likes: 0,
        gated: false,
        lastModified: '2026-01-01T00:00:00Z',
      });
    if (url.pathname === `/api/models/org/model/tree/${SHA}`)
      return json(
        Object.entries(files).map(([path, bytes]) => {
          const told = listed[path] ?? bytes;
          const lfs = isLarge(path)
            ? { lfs: { oid: sha256(told), size: told.length, pointerSize: 130 } }
            : {};
          return { type: 'file', path, size: told.length, oid: gitOid(told), ...lfs };
        }),
      );
    const name = url.pathname.replace(`/org/model/resolve/${SHA}/`, '');
    const bytes = files[name];
    if (!bytes) return json({ error: 'not found' }, 404);
    const [, first = '0', last] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const from = Number(first);
    const to = Math.min(bytes.length - 1, last ? Number(last) : bytes.length - 1);
    const part = bytes.subarray(from, to + 1);
    response.writeHead(206, {
      etag: `"${isLarge(name) ? sha256(bytes) : gitOid(bytes)}"`,
      'content-range': `bytes ${from}-${to}/${bytes.length}`,
      'content-length': part.length,
    });
    // The library asks for one byte to learn the size.
    if (!(from === 0 && to === 0)) served.push({ path: name, from });
    const fault = faults.get(name);
    if (fault && fault.times > 0 && to > 0) {
      fault.times--;
      response.write(part.subarray(0, fault.after), () => response.destroy());
    } else response.end(part);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    served,
    breakOff: (path, after, times) => void faults.set(path, { after, times }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
