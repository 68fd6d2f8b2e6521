// Readers of text look at every byte: in WebAssembly 16 at a time. Where it is not allowed, they do without.
import { scanWasm } from './scan.generated';

/** Bytes looked at together; longer texts are, part by part. */
const windowBytes = 1 << 18;
const padding = 16;
/** Rows that one call fills. */
export const mostRows = 4096;
export const readWords = 6;
export const columnWords = 12;

/** What {@link Scanner.findReads} found. */
export interface Reads {
  readonly count: number;
  /** {@link readWords} each: where its title begins in `titles`, its sequence and quality in the text; how long title, sequence and name are. */
  readonly rows: Int32Array;
  /** ASCII, one after another, in memory that the next call changes. */
  readonly titles: Uint8Array;
  /** Where the next record begins in the text. */
  readonly next: number;
}

/** One memory for all readers of the thread: each uses it from `show` to its results without a pause. A class because it remembers what lies there. */
export class Scanner {
  private readonly memory = new WebAssembly.Memory({ initial: Math.ceil((outputAt + windowBytes + padding + 4 * mostRows * columnWords) / 2 ** 16) });
  private readonly wasm = load(this.memory);
  private readonly bytes = new Uint8Array(this.memory.buffer);
  private readonly words = new Int32Array(this.memory.buffer);
  private text: Uint8Array | undefined;
  private start = 0;
  private end = 0;

  /** Reading goes on in another text, or in another state of the same one. */
  forget(): void {
    this.text = undefined;
  }

  /** Makes `text` from `at` on known: up to its end, or to at least half a window from `at` unless that was shown before. @returns whether all that is left of it is */
  private show(text: Uint8Array, at: number): boolean {
    if (this.text !== text || at < this.start || at >= this.start + windowBytes / 2 && this.end < text.length) {
      this.text = text;
      this.start = at;
      this.end = Math.min(text.length, at + windowBytes);
      this.bytes.set(text.subarray(at, this.end), inputAt);
      this.bytes.fill(10, inputAt + this.end - at, inputAt + this.end - at + padding);
    }
    return this.end === text.length;
  }

  private address(at: number): number { return inputAt + at - this.start; }

  /** Letters, `*`, `-` and `.` from `at` to `to` at most, without line ends; up to the first other byte. `residues` is a view that the next call changes. */
  joinLines(text: Uint8Array, at: number, to: number): { next: number; residues: Uint8Array; lines: number; lineStart: number | undefined } {
    this.show(text, at);
    const next = this.wasm.joinLines(this.address(at), this.address(Math.min(to, this.end)), outputAt) - inputAt + this.start;
    const [written, lines, lineStart] = this.words;
    return { next, residues: this.bytes.subarray(outputAt, outputAt + written), lines, lineStart: lines === 0 ? undefined : lineStart - inputAt + this.start };
  }

  /** FASTQ records of the plainest kind from `at` on. */
  findReads(text: Uint8Array, at: number, lowest: number, highest: number): Reads {
    this.show(text, at);
    const from = this.address(at);
    const count = this.wasm.findReads(from, this.address(this.end), tableAt, mostRows, outputAt, lowest, highest);
    const rows = this.words.slice(tableAt / 4, tableAt / 4 + readWords * count);
    const move = this.start - inputAt;
    let titleBytes = 0;
    for (let i = 0; i < rows.length; i += readWords) {
      rows[i] = titleBytes;
      rows[i + 1] += move;
      rows[i + 2] += move;
      titleBytes += rows[i + 3];
    }
    return { count, rows, titles: this.bytes.subarray(outputAt, outputAt + titleBytes), next: at + this.words[0] };
  }

  /** Lines from `at` on: {@link columnWords} words each, counted from `at` (see scan.wasm.ts), and where the next line begins. None where the first one is longer than the window. */
  findColumns(text: Uint8Array, at: number): { count: number; rows: Int32Array; next: number } {
    const whole = this.show(text, at);
    let count = this.wasm.findColumns(this.address(at), this.address(this.end), tableAt, mostRows);
    let next = at + this.words[0];
    if (!whole && next === this.end) { // the last line may go on
      count--;
      next = at + this.words[tableAt / 4 + columnWords * count];
    }
    return { count, rows: this.words.slice(tableAt / 4, tableAt / 4 + columnWords * count), next };
  }
}

/** The first words hold results. */
const inputAt = 64;
const tableAt = inputAt + windowBytes + padding;
const outputAt = tableAt + 4 * mostRows * columnWords;

type Functions = Record<'joinLines' | 'findReads' | 'findColumns', (...args: number[]) => number>;

function load(memory: WebAssembly.Memory): Functions {
  const module = new WebAssembly.Module(Uint8Array.from(atob(scanWasm), (character) => character.charCodeAt(0)));
  return new WebAssembly.Instance(module, { env: { memory } }).exports as Functions;
}

let shared: Scanner | false | undefined;

/** The scanner of this thread; undefined without WebAssembly or its vectors, or under a Content-Security-Policy without 'wasm-unsafe-eval'. */
export function scanner(): Scanner | undefined {
  if (shared === undefined) {
    try {
      shared = new Scanner();
    } catch {
      shared = false;
    }
  }
  return shared || undefined;
}
