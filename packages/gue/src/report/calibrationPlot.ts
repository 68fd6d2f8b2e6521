import type { ReliabilityBin } from '../metrics/calibration';
import type { RunRecord } from '../runRecord';
import { count, percent, share } from './format';
import { html, type Html } from './html';

const size = { side: 200, left: 40, top: 10, right: 12, bottom: 36 };

/** The bins of all seeds together. */
export function pooledBins(records: readonly RunRecord[], bins = 15): ReliabilityBin[] {
  const sums = new Map<number, { items: number; confidence: number; right: number }>();
  for (const { calibration } of records) {
    for (const { items, confidence, accuracy } of calibration?.bins ?? []) {
      const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
      const sum = sums.get(bin) ?? { items: 0, confidence: 0, right: 0 };
      sums.set(bin, { items: sum.items + items, confidence: sum.confidence + items * confidence, right: sum.right + items * accuracy });
    }
  }
  return [...sums].sort(([a], [b]) => a - b).map(([, { items, confidence, right }]) => ({ items, confidence: confidence / items, accuracy: right / items }));
}

/** A reliability diagram: on the diagonal a model is right as often as it is sure. The area of a dot is the share of the items. */
export function calibrationPlot(bins: readonly ReliabilityBin[], style: number, title: string): Html {
  const { side, left, top, right, bottom } = size;
  const total = bins.reduce((sum, { items }) => sum + items, 0);
  const at = (value: number) => (value * side).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const grid = ticks.map((tick) => html`
<line class="grid" x1="${left}" x2="${left + side}" y1="${top + side - tick * side}" y2="${top + side - tick * side}"/><text x="${left - 6}" y="${top + side - tick * side}" dy="4" text-anchor="end">${percent(tick).replace(/\.0$/, '')}</text><text x="${left + tick * side}" y="${top + side + 15}" text-anchor="middle">${percent(tick).replace(/\.0$/, '')}</text>`);
  const dots = bins.map(({ items, confidence, accuracy }) => html`<g><title>sure to ${share(confidence)}, right in ${share(accuracy)} of ${count(items)} items</title><circle class="bin" cx="${at(confidence)}" cy="${(side - accuracy * side).toFixed(1)}" r="${(2 + 9 * Math.sqrt(items / total)).toFixed(1)}"/></g>`);
  return html`<svg class="calibration" role="img" width="${left + side + right}" height="${top + side + bottom}" viewBox="0 0 ${left + side + right} ${top + side + bottom}"><title>${title}</title><desc>${bins.map(({ items, confidence, accuracy }) => `${items} items sure to ${share(confidence)}, right in ${share(accuracy)}`).join('; ')}</desc>${grid}
<line class="zero grid" x1="${left}" y1="${top + side}" x2="${left + side}" y2="${top}"/><g class="style${style}" transform="translate(${left} ${top})">${dots}</g><text x="${left + side}" y="${top + side + bottom - 4}" text-anchor="end">confidence</text></svg>`;
}
