import { html, type Html } from './html';
import { niceAxis } from './scorePlot';

/** One line: a model's style and its points `[step, value]`. */
export interface Curve {
  readonly style: number;
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

const size = { width: 420, height: 220, left: 44, right: 16, top: 10, bottom: 34 };
const maxPoints = 160;

/** Lines over training steps, thinned to the means of at most 160 bins. Points that are not numbers break the line. */
export function curvePlot(curves: readonly Curve[], title: string, format: (value: number) => string): Html {
  const thinned = curves.map((curve) => ({ ...curve, points: thin(curve.points) }));
  const points = thinned.flatMap((curve) => curve.points).filter(([, value]) => Number.isFinite(value));
  const [x, y] = [niceAxis([0, ...points.map(([step]) => step)], 4, 'value'), niceAxis(points.map(([, value]) => value), 4)];
  const across = (step: number) => (size.left + ((step - x.low) / (x.high - x.low)) * (size.width - size.left - size.right)).toFixed(1);
  const down = (value: number) => (size.height - size.bottom - ((value - y.low) / (y.high - y.low)) * (size.height - size.top - size.bottom)).toFixed(1);
  return html`<svg class="curves" role="img" viewBox="0 0 ${size.width} ${size.height}"><title>${title}</title><desc>${thinned.map((curve) => describe(curve, format)).join('; ')}</desc>${y.ticks.map(
    (tick) => html`<line class="grid" x1="${size.left}" x2="${size.width - size.right}" y1="${down(tick)}" y2="${down(tick)}"/><text x="${size.left - 7}" y="${down(tick)}" dy="4" text-anchor="end">${format(tick)}</text>`)}${x.ticks.map(
    (tick) => html`<text x="${across(tick)}" y="${size.height - size.bottom + 16}" text-anchor="middle">${Number(tick.toPrecision(6))}</text>`)}<text x="${size.width - size.right}" y="${size.height - 3}" text-anchor="end">step</text>${thinned.map(
    (curve) => html`<g class="style${curve.style % 5}"><title>${curve.name}</title><path class="curve" d="${path(curve.points.map(([step, value]) => [across(step), down(value)]))}"/>${curve.points.length <= 40 && curve.points.filter(([, value]) => Number.isFinite(value)).map(([step, value]) => html`<circle class="point" cx="${across(step)}" cy="${down(value)}" r="2"/>`)}</g>`)}</svg>`;
}

const path = (points: readonly (readonly [string, string])[]): string =>
  points.map(([x, y], i) => (y === 'NaN' ? '' : `${i === 0 || points[i - 1][1] === 'NaN' ? 'M' : 'L'}${x} ${y}`)).join('');

function thin(points: Curve['points']): Curve['points'] {
  const finite = points.map(([step, value]) => [step, Number.isFinite(value) ? value : NaN] as const);
  const width = Math.ceil(finite.length / maxPoints);
  if (width <= 1) return finite;
  return Array.from({ length: Math.ceil(finite.length / width) }, (_, i) => {
    const bin = finite.slice(i * width, (i + 1) * width);
    return [bin[bin.length - 1][0], bin.reduce((sum, [, value]) => sum + value, 0) / bin.length] as const;
  });
}

function describe(curve: Curve, format: (value: number) => string): string {
  const [first, last] = [curve.points[0], curve.points[curve.points.length - 1]];
  return `${curve.name}: ${format(first[1])} at step ${first[0]}, ${format(last[1])} at step ${last[0]}`;
}
