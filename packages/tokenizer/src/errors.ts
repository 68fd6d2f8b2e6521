/** A file does not hold what its format promises, or holds something that this package refuses to ignore. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  /** @param format - name of the format, such as `tokenizer.json`; @param line - 1-based line, 0 where the format has no lines worth naming */
  constructor(readonly format: string, message: string, readonly line = 0, options?: ErrorOptions) {
    super(message, options);
  }
}

/** `maxMemory` is less than the training takes. */
export class MemoryLimitError extends RangeError {
  override readonly name = 'MemoryLimitError';
  /** @param needed - the smallest `maxMemory` in bytes; before the corpus is read that of any corpus, afterwards that of this one */
  constructor(readonly needed: number, message: string) {
    super(message);
  }
}

/** A value as an error message shows it: short, and with its kind. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value !== null && typeof value === 'object') return 'an object';
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return `a ${typeof value}`;
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
