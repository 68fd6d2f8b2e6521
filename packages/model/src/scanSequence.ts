import { score, type OffsetEncoder, type ScoreOptions } from './score';
import type { AnyModel } from './model';

export interface ScanOptions extends Omit<ScoreOptions, 'perBase' | 'onProgress'> {
  /** Bases that are encoded and scored at once; default 50,000. */
  readonly segment?: number | undefined;
  /** Bases that a segment shares with the one before, as context; default 5,000. */
  readonly segmentOverlap?: number | undefined;
  readonly onProgress?: ((progress: { readonly bases: number; readonly totalBases: number }) => void) | undefined;
}

/** Where a segment is read, and which of its bases are new. */
interface Segment {
  readonly start: number;
  readonly from: number;
  readonly end: number;
}

function segmentsOf(length: number, segment: number, overlap: number): Segment[] {
  const segments: Segment[] = [];
  for (let from = 0; from < length; from = segments.at(-1)!.end) {
    const start = Math.max(0, from - overlap);
    segments.push({ start, from, end: Math.min(length, start + segment) });
  }
  return segments;
}

/**
 * The loss of every base of a long sequence, in nats, `[bases]`: a token's loss is spread evenly over its bases. With `strand: 'both'` each base has the smaller loss of the two strands, as upstream combines them.
 * A segment's overlap gives context to what follows on the strand that is read forward; on the other strand the segment's own end does.
 */
export async function scanSequence(model: AnyModel, encoder: OffsetEncoder, sequence: string, { segment = 50_000, segmentOverlap = 5_000, onProgress, ...options }: ScanOptions = {}): Promise<Float32Array> {
  if (!Number.isInteger(segment) || segment < 1) throw new RangeError(`scanSequence: expected a segment of at least 1 base, got ${segment}`);
  if (!Number.isInteger(segmentOverlap) || segmentOverlap < 0 || segmentOverlap >= segment) throw new RangeError(`scanSequence: expected a segmentOverlap from 0 to ${segment - 1} bases, got ${segmentOverlap}`);
  const losses = new Float32Array(sequence.length);
  for (const { start, from, end } of segmentsOf(sequence.length, segment, segmentOverlap)) {
    const [{ baseLogProbs, reverse }] = await score(model, encoder, [sequence.slice(start, end)], { ...options, perBase: true });
    for (let i = from; i < end; i++) {
      const [own, other] = [baseLogProbs![i - start], reverse?.baseLogProbs![i - start] ?? -Infinity];
      losses[i] = -Math.max(own, other);
    }
    onProgress?.({ bases: end, totalBases: sequence.length });
  }
  return losses;
}
