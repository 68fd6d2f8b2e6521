/** SHA-256 in lower-case hexadecimal, through WebCrypto. */
export async function sha256(data: string | Uint8Array): Promise<string> {
  if (!globalThis.crypto?.subtle) throw new TypeError('sha256: expected WebCrypto, got an environment without it; browsers offer it on https pages and localhost only');
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const digest = await globalThis.crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
