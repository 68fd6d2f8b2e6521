import type { RunRecord } from '../runRecord';
import { count, share } from './format';
import { html, type Html } from './html';

/** Counts `[true][predicted]` of test items, all seeds together. */
export function confusionCounts(records: readonly RunRecord[], classes: number): readonly (readonly number[])[] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { task, model, predictions } of records) {
    predictions.labels.forEach((label, i) => {
      const predicted = predictions.predicted[i];
      if (counts[label]?.[predicted] === undefined)
        throw new RangeError(`report: expected labels and predictions of ${task}, ${model} in 0 to ${classes - 1}, got ${label} and ${predicted} at item ${i}; check the record and the task's classes`);
      counts[label][predicted]++;
    });
  }
  return counts;
}

/** A confusion matrix, rows true, columns predicted, shaded by the share of the row. Up to 4 classes show counts too, up to 10 show shares, more only shade. */
export function confusionPlot(counts: readonly (readonly number[])[], title: string): Html {
  const classes = counts.length;
  const cell = Math.max(12, Math.min(58, Math.floor(250 / classes)));
  const [left, top] = [34, 36];
  const [width, height] = [left + classes * cell + 2, top + classes * cell + 2];
  const middle = (i: number, start: number) => start + (i + 0.5) * cell;
  const labels = counts.map((_, i) => i).filter((i) => classes <= 10 || i % 5 === 0).map((i) => html`
<text x="${middle(i, left)}" y="30" text-anchor="middle">${i}</text><text x="${left - 6}" y="${middle(i, top)}" dy="4" text-anchor="end">${i}</text>`);
  const cells = counts.flatMap((row, i) => {
    const total = row.reduce((sum, items) => sum + items, 0);
    return row.map((items, j) => drawCell({ i, j, items, part: total ? items / total : 0, classes, cell, x: left + j * cell, y: top + i * cell }));
  });
  const description = counts.map((row, i) => `true ${i}: ${row.map((items, j) => `${items} predicted ${j}`).join(', ')}`).join('; ');
  return html`<svg class="confusion" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><title>${title}</title><desc>${description}</desc>
<text x="${middle(classes / 2 - 0.5, left)}" y="12" text-anchor="middle">predicted</text>
<text transform="translate(11 ${middle(classes / 2 - 0.5, top)}) rotate(-90)" text-anchor="middle">true</text>${labels}${cells}</svg>`;
}

type Cell = Readonly<Record<'i' | 'j' | 'items' | 'part' | 'classes' | 'cell' | 'x' | 'y', number>>;

function drawCell({ i, j, items, part, classes, cell, x, y }: Cell): Html {
  const [middleX, middleY] = [x + cell / 2, y + cell / 2];
  return html`<g><title>true ${i}, predicted ${j}: ${count(items)} items, ${share(part)} of the class</title>
<rect class="${i === j ? 'heat diagonal' : 'heat'}" x="${x + 1}" y="${y + 1}" width="${cell - 2}" height="${cell - 2}" rx="2" fill-opacity="${(0.03 + 0.47 * part).toFixed(3)}"/>${
    classes <= 10 && html`<text class="strong" x="${middleX}" y="${middleY}" dy="${classes <= 4 ? -1 : 4}" text-anchor="middle">${(100 * part).toFixed(0)}${classes <= 4 && ' %'}</text>`}${
    classes <= 4 && html`<text class="small" x="${middleX}" y="${middleY}" dy="14" text-anchor="middle">${count(items)}</text>`}</g>`;
}
