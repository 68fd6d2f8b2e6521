import type { Mutagenesis } from './variantEffect';

const [cell, left, top, letters] = [14, 24, 26, 'ACGT'] as const;

/** From blue through white to red, symmetric about 0; the extremes are `largest`. */
function colour(effect: number, largest: number): string {
  const share = largest > 0 ? Math.max(-1, Math.min(1, effect / largest)) : 0;
  const fade = Math.round(255 * (1 - Math.abs(share)));
  return share < 0 ? `rgb(${fade},${fade},255)` : `rgb(255,${fade},${fade})`;
}

const escape = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

export interface MutagenesisSvgOptions {
  readonly title?: string;
  /** Where the sequence's first base stands in its contig, 0-based; 0 unless given. The picture counts positions from 1. */
  readonly contigStart?: number;
}

/** A picture of saturation mutagenesis: a column for each position, a row for each base, red for effects above 0 and blue below; a dot marks the base that stands there. One self-contained SVG. */
export function mutagenesisSvg({ sequence, start, end, effects }: Mutagenesis, { title = 'Effect of every substitution', contigStart = 0 }: MutagenesisSvgOptions = {}): string {
  const largest = effects.reduce((most, effect) => Math.max(most, Math.abs(effect)), 0);
  const [width, height] = [left + (end - start) * cell + 8, top + 5 * cell + 26];
  const parts: string[] = [];
  for (let position = start; position < end; position++) {
    const x = left + (position - start) * cell;
    const base = sequence[position].toUpperCase();
    const pos = contigStart + position + 1;
    [...letters].forEach((letter, row) => {
      const effect = effects[4 * (position - start) + row];
      const y = top + row * cell;
      parts.push(`<rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="${colour(effect, largest)}"><title>${pos} ${base}&gt;${letter}: ${effect.toPrecision(3)}</title></rect>`);
      if (letter === base) parts.push(`<circle cx="${x + cell / 2}" cy="${y + cell / 2}" r="1.5"/>`);
    });
    parts.push(`<text x="${x + cell / 2}" y="${top + 5 * cell - 3}" text-anchor="middle">${escape(base)}</text>`);
    if (pos % 10 === 0) parts.push(`<text x="${x + cell / 2}" y="${top + 6 * cell}" text-anchor="middle">${pos}</text>`);
  }
  const rows = [...letters].map((letter, row) => `<text x="${left - 8}" y="${top + row * cell + 11}" text-anchor="middle">${letter}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="10" role="img">
<title>${escape(title)}</title>
<rect width="100%" height="100%" fill="white"/>
<text x="${left}" y="14">${escape(title)}; full colour: ±${largest.toPrecision(3)}</text>
${[...rows, ...parts].join('\n')}
</svg>
`;
}
