/** Asks an endpoint: the image is posted, and the answer is JSON `{"text", "confidence"}` or plain text. */
import { readHeader } from '../images/header.ts';
import { MOST_BYTES, type Reading } from './expert.ts';
import { lastWords } from './text.ts';

/** Posts an image file and reads the answer. @throws Error whose message says what went wrong */
export async function askEndpoint(address: string, image: Uint8Array, signal: AbortSignal): Promise<Reading> {
  const response = await fetch(address, {
    method: 'POST',
    body: new Blob([image.slice()]),
    headers: { 'content-type': `image/${readHeader(image).format}`, accept: 'application/json, text/plain' },
    // What was allowed is this address: it may not send the image on to another.
    redirect: 'manual',
    signal,
  }).catch((cause: unknown) => {
    throw new Error(`${address} cannot be reached: ${causeOf(cause)}`, { cause });
  });
  const body = await readBody(response);
  if (response.ok) return readAnswer(body, response.headers.get('content-type') ?? '', address);
  const moved = response.headers.get('location');
  const why = moved === null ? lastWords(body) : `moved to ${moved}, which is not followed`;
  throw new Error(`${address} answered ${response.status}${why === '' ? '' : `: ${why}`}`);
}

/** The network's own reason stands one level below what `fetch` says. */
function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code } = inner as { readonly code?: unknown };
  const message = inner instanceof Error ? inner.message : String(inner);
  return message === '' && typeof code === 'string' ? code : message;
}

async function readBody(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  // A page's streams cannot all be iterated.
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    bytes += part.value.length;
    if (bytes > MOST_BYTES) {
      await reader?.cancel();
      throw new Error(`its answer is longer than ${MOST_BYTES / 2 ** 20} MiB`);
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}

function readAnswer(body: string, type: string, address: string): Reading {
  if (!/[/+]json\b/.test(type)) return { text: body, confidence: null };
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new Error(`${address} answered with JSON that cannot be read: ${String(cause)}`, { cause });
  }
  const { text, confidence } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  if (typeof text !== 'string') throw new Error(`${address} answered with JSON that has no \`text\``);
  const sure = typeof confidence === 'number' && confidence >= 0 && confidence <= 1;
  return { text, confidence: sure ? confidence : null };
}
