import type { Interval } from '../runRecord';
import { intervalText, percent } from './format';
import { html, type Html } from './html';

/** A linear axis; all on the metric's own scale. */
export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

/** What is drawn at one value. Kinds differ in shape as well as in colour; `style` is a model's sign. */
export interface Mark {
  readonly kind: 'model' | 'baseline' | 'bestBaseline' | 'published';
  readonly style?: number;
  readonly name: string;
  readonly value: number;
  readonly interval?: Interval | undefined;
}

/** An axis over the finite values with about `wanted` round ticks; `ends` says whether it ends at a tick or at the last value. */
export function niceAxis(values: readonly number[], wanted = 5, ends: 'tick' | 'value' = 'tick'): Axis {
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((low, value) => Math.min(low, value), finite[0] ?? 0);
  const greatest = finite.reduce((high, value) => Math.max(high, value), least);
  const most = Math.max(greatest, least + 0.02 * Math.max(1, Math.abs(greatest))); // two points of a score at least, so that ticks differ in the digits shown
  const rough = (most - least) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9))!;
  const [below, above] = [Math.floor(least / step + 1e-9), Math.ceil(most / step - 1e-9)];
  const [first, last] = ends === 'tick' ? [below, above] : [Math.ceil(least / step - 1e-9), Math.floor(most / step + 1e-9)];
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return ends === 'tick' ? { low: below * step, high: above * step, ticks } : { low: least, high: most, ticks };
}

/** Percent of the width, so that the drawing follows its box while text and marks keep their size. */
const at = (value: number, { low, high }: Axis): string => `${((100 * (Math.min(Math.max(value, low), high) - low)) / (high - low)).toFixed(2)}%`;

/** The numbers of an axis, for the head of a column of plots. */
export function axisLabels(axis: Axis): Html {
  const label = (tick: number) => html`<text x="${at(tick, axis)}" y="100%" dy="-4" text-anchor="middle">${percent(tick).replace(/\.0$/, '')}</text>`;
  return html`<svg class="axis" role="img"><title>axis from ${percent(axis.low)} to ${percent(axis.high)}</title>${axis.ticks.map(label)}</svg>`;
}

/**
 * Dots with whiskers on a common axis, one lane each from top to bottom. A mark whose value is not a number is not drawn, but the description names it.
 * @param lanes - marks by lane
 */
export function scorePlot(lanes: readonly (readonly Mark[])[], axis: Axis, title: string): Html {
  const grid = (tick: number) => {
    const x = at(tick, axis);
    return html`<line class="${Math.abs(tick) < 1e-9 ? 'grid zero' : 'grid'}" x1="${x}" x2="${x}" y1="0" y2="100%"/>`;
  };
  const marks = lanes.flatMap((lane, i) => lane.filter((mark) => Number.isFinite(mark.value)).map((mark) => drawMark(mark, axis, `${((100 * (i + 0.5)) / lanes.length).toFixed(2)}%`)));
  return html`<svg class="dots" role="img"><title>${title}</title><desc>${lanes.flat().map(describe).join('; ')}</desc>${axis.ticks.map(grid)}${marks}</svg>`;
}

const describe = ({ name, value, interval }: Mark): string => `${name} ${percent(value)}${interval ? ` ${intervalText(interval)}` : ''}`;

function drawMark(mark: Mark, axis: Axis, y: string): Html {
  const { kind, style, value, interval } = mark;
  const drawn = interval !== undefined && Number.isFinite(interval.low + interval.high);
  return html`<g class="${kind}${style === undefined ? '' : ` style${style}`}"><title>${describe(mark)}</title>${
    drawn && html`<line class="whisker" x1="${at(interval.low, axis)}" x2="${at(interval.high, axis)}" y1="${y}" y2="${y}"/>`}<svg x="${at(value, axis)}" y="${y}" overflow="visible">${shapeOf(kind, style)}</svg></g>`;
}

// Circle, diamond, triangle up, triangle down, hexagon.
const modelShapes = ['M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z', 'M0 -6.5L6 0L0 6.5L-6 0z', 'M0 -6L6 5L-6 5z', 'M0 6L6 -5L-6 -5z', 'M-6 0L-3 -5.2L3 -5.2L6 0L3 5.2L-3 5.2z'];

/**
 * The sign of each model, its colour and shape: from 0 to 4. It follows from the name alone, so that a model looks the same in every report;
 * where two names fall on one sign, the later in the alphabet moves on to the next that is used least.
 */
export function modelStyles(models: readonly string[]): ReadonlyMap<string, number> {
  const uses = modelShapes.map(() => 0);
  return new Map([...models].sort().map((model) => {
    const least = Math.min(...uses);
    let style = [...model].reduce((hash, letter) => (31 * hash + letter.codePointAt(0)!) % 2 ** 32, 0) % uses.length;
    while (uses[style] > least) style = (style + 1) % uses.length;
    uses[style]++;
    return [model, style];
  }));
}

export function shapeOf(kind: Mark['kind'], style = 0): Html {
  if (kind === 'published') return html`<line y1="-6" y2="6"/>`;
  if (kind !== 'model') return html`<rect x="-4" y="-4" width="8" height="8"/>`;
  return html`<path d="${modelShapes[style]}"/>`;
}

const sign = (kind: Mark['kind'], style = 0): Html =>
  html`<svg class="sign style${style}" width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true"><g class="${kind}">${shapeOf(kind, style)}</g></svg>`;

/** The sign of a model, for legends and row heads. */
export const modelSign = (style: number): Html => sign('model', style);

/** The signs of the other kinds. */
export const kindSign = (kind: Exclude<Mark['kind'], 'model'>): Html => sign(kind);
