import { FormatError } from './errors';

/** The object in a config.json. @throws FormatError for text that holds none */
export function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new FormatError(`parseConfig: expected JSON, got ${JSON.stringify(text.slice(0, 40))}`, { format: 'config.json', cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new FormatError(`parseConfig: expected a JSON object, got ${JSON.stringify(value)?.slice(0, 40)}`, { format: 'config.json' });
  return value as Record<string, unknown>;
}

/** Reads one key; null counts as absent. */
export type ConfigReader = <T>(name: string, type: 'number' | 'string' | 'boolean', fallback?: T) => T;

/** A reader of keys that throws a FormatError for another type, or where there is neither value nor fallback. */
export const readerOf = (raw: Readonly<Record<string, unknown>>): ConfigReader => <T>(name: string, type: 'number' | 'string' | 'boolean', fallback?: T): T => {
  const value = raw[name] ?? fallback;
  if (typeof value !== type) throw new FormatError(`parseConfig: expected ${name} to be a ${type}, got ${JSON.stringify(raw[name])}`, { format: 'config.json' });
  return value as T;
};

/** What `tokenizer_fingerprint` says, where it is there. @throws FormatError for anything but a text */
export const parseTokenizerFingerprint = (raw: Readonly<Record<string, unknown>>): { readonly tokenizerFingerprint?: string } =>
  ((raw['tokenizer_fingerprint'] ?? undefined) === undefined ? {} : { tokenizerFingerprint: readerOf(raw)('tokenizer_fingerprint', 'string') });

/** The key that `parseTokenizerFingerprint` reads. */
export const tokenizerFingerprintJson = ({ tokenizerFingerprint }: { readonly tokenizerFingerprint?: string }): Record<string, unknown> =>
  (tokenizerFingerprint === undefined ? {} : { tokenizer_fingerprint: tokenizerFingerprint });

/** A check that throws a RangeError saying which setting cannot be. */
export function requireSetting(holds: boolean, what: string, got: unknown): void {
  if (!holds) throw new RangeError(`config: expected ${what}, got ${JSON.stringify(got)}`);
}

/** The dropout of attention probabilities under upstream's key; absent where it is 0. */
export function parseAttentionDropout(raw: Readonly<Record<string, unknown>>, key: 'attention_probs_dropout_prob' | 'attention_dropout'): { readonly attentionDropout?: number } {
  const attentionDropout = readerOf(raw)(key, 'number', 0);
  return attentionDropout === 0 ? {} : { attentionDropout };
}

/** @throws RangeError for a share that cannot be dropped */
export const checkAttentionDropout = ({ attentionDropout = 0 }: { readonly attentionDropout?: number }): void =>
  requireSetting(attentionDropout >= 0 && attentionDropout < 1, 'attentionDropout in [0, 1)', attentionDropout);
