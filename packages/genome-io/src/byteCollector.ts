import { copyBytes } from './bytes';

/** Bytes of a record that grows while it is read: pieces are joined once at the end, so that a chromosome is never in memory more than twice. */
export class ByteCollector {
  private readonly full: Uint8Array[] = [];
  private piece = new Uint8Array(4096);
  private used = 0;
  private total = 0;

  /** @param tooLong - called when more than `limit` bytes are kept; must throw */
  constructor(private readonly limit: number, private readonly tooLong: () => never) {}

  /** Bytes since the last `take`. */
  get length(): number {
    return this.total;
  }

  /** Keeps a copy of `bytes` from `from` up to but not including `to`. */
  append(bytes: Uint8Array, from: number, to: number): void {
    this.total += to - from;
    if (this.total > this.limit) this.tooLong();
    for (let at = from; at < to; ) {
      if (this.used === this.piece.length) {
        this.full.push(this.piece);
        this.piece = new Uint8Array(Math.min(2 * this.piece.length, 1 << 24));
        this.used = 0;
      }
      const count = Math.min(to - at, this.piece.length - this.used);
      copyBytes(bytes, at, this.piece, this.used, count);
      this.used += count;
      at += count;
    }
  }

  /** All bytes since the last call, as an array of their own. */
  take(): Uint8Array {
    const joined = new Uint8Array(this.total);
    let at = 0;
    for (const piece of this.full) {
      joined.set(piece, at);
      at += piece.length;
    }
    joined.set(this.piece.subarray(0, this.used), at);
    this.full.length = this.used = this.total = 0;
    return joined;
  }
}
