/** The process of one side: answers requests one at a time, so that only one side runs at any moment. */
import { openDevice } from '../device/device.ts';
import { waitGently } from '../device/poll.ts';
import { openJax } from './jax.ts';
import { valuesOf } from './ops.ts';
import { openOurs } from './ours.ts';
import type { Answer, Prepared, Request, Side, SideName } from './side.ts';
import { openTfjs } from './tfjs.ts';

let side: Side | null = null;
let name: SideName = 'ours';
let sameWait = false;
const lanes = new Map<string, Prepared>();

async function open(which: SideName, folder: string | null): Promise<Side> {
  if (which === 'ours') return openOurs(await openDevice({ label: 'bench' }));
  if (folder === null) throw new Error(`${which} needs a folder where it is installed`);
  return which === 'jax-js' ? openJax(folder) : openTfjs(folder);
}

function lane(key: string): Prepared {
  const found = lanes.get(key);
  if (!found) throw new Error(`'${key}' is not prepared`);
  return found;
}

const waiting = <T>(promise: Promise<T>): Promise<T> => (sameWait ? waitGently(promise) : promise);

/** The time when the timed part of the latest request began. */
let start = 0;

async function answer(request: Request): Promise<Float32Array | null> {
  start = performance.now();
  switch (request.ask) {
    case 'open':
      ({ side: name, sameWait } = request);
      side = await open(request.side, request.folder);
      return null;
    case 'prepare': {
      if (!side) throw new Error('nothing is open');
      // Making up the numbers is no side's work.
      const values = valuesOf(request.op);
      start = performance.now();
      const prepared = await side.prepare(request.op, values);
      lanes.set(request.lane, prepared);
      await waiting(prepared.run(1));
      return null;
    }
    case 'run':
      await waiting(lane(request.lane).run(request.n));
      return null;
    case 'result':
      return await lane(request.lane).result();
    case 'close':
      lane(request.lane).close();
      lanes.delete(request.lane);
      return null;
  }
}

process.on('message', (request: Request) => {
  answer(request).then(
    (values) => reply({ ok: true, ms: performance.now() - start, values }),
    (thrown: unknown) => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      reply({ ok: false, error: `${name}: ${error.message}`, name: error.name });
    },
  );
});
// An open device would keep the process alive.
process.on('disconnect', () => process.exit(0));

function reply(message: Answer): void {
  process.send?.(message);
}
