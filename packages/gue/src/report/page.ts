import { costSection, dataSection, provenanceSection } from './factTables';
import { forestPlot } from './forestPlot';
import { count, duration } from './format';
import { leakPanel } from './leakPanel';
import { html, toMarkup, type Html } from './html';
import type { ReportInput } from './input';
import { meaningSentences, verdictBasis, verdictSentences } from './meaning';
import { anchor, scoreMatrix } from './scoreMatrix';
import { kindSign, modelSign, niceAxis, type Axis } from './scorePlot';
import { styleSheet } from './style';
import { rowsOf, summarise, type Summary } from './summary';
import { taskSection } from './taskSection';

/**
 * The whole report as one HTML page that needs nothing beside it: no script, no font, no picture, no request; its content security policy forbids them.
 * Light and dark, phone and print come from the style sheet. All text from the input is escaped. The same input gives the same page.
 * @throws RangeError where records, tasks and aggregates contradict each other.
 */
export function renderReport(input: ReportInput): string {
  const summary = summarise(input);
  const axis = commonAxis(summary);
  const [forest, leaks] = [forestPlot(summary), leakPanel(summary)];
  return `<!DOCTYPE html>\n${toMarkup(html`<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>${input.title}${summary.simulated && ' (simulated)'}</title>
<style>`)}${styleSheet}${toMarkup(html`</style>
</head>
<body>
${pageHead(summary, { differences: forest !== false, leaks: leaks !== false })}
<main>
<h2 id="scores">Scores</h2>
${legend(summary)}
${scoreMatrix(summary, axis)}
<p class="quiet">${verdictBasis(summary)}</p>
<h2 id="meaning">What this means</h2>
<ul>${[...(input.notes ?? []), ...meaningSentences(summary)].map((sentence) => html`<li>${sentence}</li>`)}</ul>
${forest && html`<h2 id="differences">Differences from the best baseline</h2>
${forest}`}
${leaks && html`<h2 id="leaks">Leaks between train and test</h2>
${leaks}`}
<h2 id="tasks">Task by task</h2>
${summary.tasks.map((task) => taskSection(task, summary, axis))}
<h2 id="data">Data</h2>
${dataSection(summary)}
<h2 id="cost">Cost and input</h2>
${costSection(summary)}
</main>
<footer>
<h2 id="provenance">Provenance</h2>
${provenanceSection(summary)}
</footer>
</body>
</html>
`)}`;
}

/** One axis for all score plots: 0 to 100, and lower where a score or an interval reaches below. */
function commonAxis(summary: Summary): Axis {
  const rows = summary.tasks.flatMap(rowsOf);
  return niceAxis([0, 1, ...rows.flatMap((row) => [row.mean, row.interval?.low ?? row.mean, row.interval?.high ?? row.mean])], 5, 'value');
}

function pageHead(summary: Summary, sections: { readonly differences: boolean; readonly leaks: boolean }): Html {
  const { input, tasks } = summary;
  const { records } = input;
  const seconds = records.reduce((sum, { cost }) => sum + cost.fitSeconds + cost.predictSeconds, 0);
  const real = records.some((record) => !record.simulated);
  const facts: readonly (readonly [string, string])[] = [
    ['Tasks', count(tasks.length)], ['Models', count(summary.models.length)], ['Runs', count(records.length)], ['Time of all runs', duration(seconds)],
  ];
  const places = [
    ['scores', 'Scores'], ['meaning', 'What this means'], ...(sections.differences ? [['differences', 'Differences']] : []), ...(sections.leaks ? [['leaks', 'Leaks']] : []), ...tasks.map((task) => [anchor(task), task.task.name]), ['data', 'Data'], ['cost', 'Cost'], ['provenance', 'Provenance'],
  ];
  return html`<header>
${summary.simulated && html`<p class="banner" role="note"><strong>simulated</strong> ${real ? 'Some of the data come' : 'All data come'} from a simulator, not from genomes.</p>`}
<h1>${input.title}</h1>
<div class="lead">${verdictSentences(summary).map((sentence) => html`<p>${sentence}</p>`)}</div>
<dl class="tiles">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<nav aria-label="Sections"><ul>${places.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
</header>`;
}

const legend = (summary: Summary): Html => html`<ul class="legend">${summary.models.map((model) => html`<li>${modelSign(summary.styles.get(model)!)}${model}</li>`)}
<li>${kindSign('bestBaseline')}best baseline</li><li>${kindSign('baseline')}other baselines</li><li>${kindSign('published')}published</li></ul>`;
