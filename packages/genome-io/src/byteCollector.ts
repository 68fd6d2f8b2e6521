import { copyBytes, unfilled } from './bytes';

/** Bytes of pieces that are kept for the next record: memory that is new to the process costs as much as filling it twice. */
const mostKept = 1 << 25;

/** Bytes of a record that grows while it is read: pieces are joined once at the end, so that a chromosome is never in memory more than twice. */
export class ByteCollector {
  private readonly pieces: Uint8Array[] = [new Uint8Array(4096)];
  /** The piece that is being filled, and how far. */
  private current = 0;
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
      let piece = this.pieces[this.current];
      if (this.used === piece.length) {
        if (++this.current === this.pieces.length) this.pieces.push(new Uint8Array(Math.min(2 * piece.length, 1 << 24)));
        piece = this.pieces[this.current];
        this.used = 0;
      }
      const count = Math.min(to - at, piece.length - this.used);
      copyBytes(bytes, at, piece, this.used, count);
      this.used += count;
      at += count;
    }
  }

  /** All bytes since the last call, as an array of their own. */
  take(): Uint8Array {
    const joined = unfilled(this.total);
    let at = 0;
    for (const piece of this.pieces.slice(0, this.current)) {
      joined.set(piece, at);
      at += piece.length;
    }
    joined.set(this.pieces[this.current].subarray(0, this.used), at);
    for (let kept = 0, i = 0; i < this.pieces.length; i++) {
      kept += this.pieces[i].length;
      if (kept > mostKept) this.pieces.length = i;
    }
    this.current = this.used = this.total = 0;
    return joined;
  }
}
