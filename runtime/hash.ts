/** SHA-256 as browsers and Node both have it. */

/** sha256 of the parts, one after the other, as 64 hexadecimal digits. A text counts as its UTF-8 bytes. */
export async function sha256(parts: readonly (string | ArrayBufferView)[]): Promise<string> {
  const utf8 = new TextEncoder();
  const chunks = parts.map((part) =>
    typeof part === 'string'
      ? utf8.encode(part)
      : new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
  );
  const all = new Uint8Array(chunks.reduce((length, { byteLength }) => length + byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
