/** Bits per base along a contig, one value for each `bin` bases. */
export interface Track {
  readonly contig: string;
  readonly length: number;
  readonly bin: number;
  readonly bits: Float64Array;
}

/** Means of nats over bins, in bits; the last bin may be shorter. */
export function binned(nats: Float32Array, bin: number): Float64Array {
  return Float64Array.from({ length: Math.ceil(nats.length / bin) }, (_, i) => {
    const own = nats.subarray(i * bin, (i + 1) * bin);
    return own.reduce((total, value) => total + value, 0) / own.length / Math.LN2;
  });
}

const header = (type: string) => `track type=${type} name="bits per base" description="loss of a decoder, in bits per base"\n`;

/** bedGraph: 0-based, half-open. */
export const bedGraph = ({ contig, length, bin, bits }: Track, first: boolean): string =>
  (first ? header('bedGraph') : '') + Array.from(bits, (value, i) => `${contig}\t${i * bin}\t${Math.min(length, (i + 1) * bin)}\t${value.toFixed(4)}\n`).join('');

/** Wiggle: 1-based. The last bin, where it is shorter, is a step of its own span, as spans beyond a contig's end are refused by browsers. */
export function wiggle({ contig, length, bin, bits }: Track, first: boolean): string {
  const whole = Math.floor(length / bin);
  const step = (start: number, span: number, values: Float64Array) => (values.length ? `fixedStep chrom=${contig} start=${start} step=${span} span=${span}\n${Array.from(values, (value) => `${value.toFixed(4)}\n`).join('')}` : '');
  return (first ? header('wiggle_0') : '') + step(1, bin, bits.subarray(0, whole)) + step(whole * bin + 1, length - whole * bin, bits.subarray(whole));
}

const [width, height, left, gap, columns] = [900, 90, 60, 34, 800] as const;
const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** A row for each contig: the mean as a line, and between the smallest and the largest bin a band, at most 800 columns. 2 bits is a base that any of four could be. */
export function scanPicture(tracks: readonly Track[]): string {
  const top = tracks.reduce((most, { bits }) => bits.reduce((a, b) => Math.max(a, b), most), 2);
  const y = (value: number) => (height - (value / top) * height).toFixed(1);
  const rows = tracks.map(({ contig, length, bits }, row) => {
    const count = Math.min(columns, bits.length);
    const x = (column: number) => (((column + 0.5) / count) * (width - left - 20)).toFixed(1);
    const parts = Array.from({ length: count }, (_, column) => bits.subarray(Math.floor((column * bits.length) / count), Math.floor(((column + 1) * bits.length) / count)));
    const line = (of: (part: Float64Array) => number, backwards = false) => {
      const points = parts.map((part, column) => `${x(column)},${y(of(part))}`);
      return (backwards ? points.reverse() : points).join(' ');
    };
    const [mean, low, high] = [(part: Float64Array) => part.reduce((a, b) => a + b, 0) / part.length, (part: Float64Array) => part.reduce((a, b) => Math.min(a, b)), (part: Float64Array) => part.reduce((a, b) => Math.max(a, b))];
    return `<g transform="translate(${left},${gap + row * (height + gap)})">
<text x="0" y="-8">${escape(contig)}, ${length.toLocaleString('en')} bases</text>
<line x1="0" y1="${y(2)}" x2="${width - left - 20}" y2="${y(2)}" stroke="#999" stroke-dasharray="4 3"/><text x="-8" y="${y(2)}" text-anchor="end" dominant-baseline="middle">2</text>
<line x1="0" y1="${height}" x2="${width - left - 20}" y2="${height}" stroke="#333"/><text x="-8" y="${height}" text-anchor="end" dominant-baseline="middle">0</text>
<polygon points="${line(low)} ${line(high, true)}" fill="#9ecae1"/><polyline points="${line(mean)}" fill="none" stroke="#08519c"/>
</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${gap + tracks.length * (height + gap)}" font-family="sans-serif" font-size="12" role="img" aria-label="Bits per base along ${tracks.length} contigs">
<rect width="100%" height="100%" fill="#fff"/><text x="8" y="14">bits per base</text>
${rows.join('\n')}
</svg>
`;
}
