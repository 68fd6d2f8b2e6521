/** Bytes of a record that grows while it is read: pieces are joined once at the end, so that a chromosome is never in memory more than twice. */
export class ByteCollector {
  private readonly full: Uint8Array[] = [];
  private piece = new Uint8Array(4096);
  private used = 0;
  private total = 0;

  /** @param tooLong - called when more than `limit` bytes are kept; must throw */
  constructor(private readonly limit: number, private readonly tooLong: () => never) {}

  /** Where the next bytes go: room for one or more. Say with `keep` how many were written. */
  room(): Uint8Array {
    if (this.used === this.piece.length) {
      this.full.push(this.piece);
      this.piece = new Uint8Array(Math.min(2 * this.piece.length, 1 << 24));
      this.used = 0;
    }
    return this.piece.subarray(this.used);
  }

  keep(count: number): void {
    this.used += count;
    this.total += count;
    if (this.total > this.limit) this.tooLong();
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
