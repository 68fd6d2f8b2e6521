/**
 * Colours by role. `series0` … `series4` are the models': blue, vermilion, green, purple, ochre of Okabe and Ito's set, darkened or lightened until each has a
 * contrast of at least 4.5 with the page; shapes and dashes tell the models apart without them.
 */
export const palette = {
  light: {
    page: '#fcfbf8', panel: '#ffffff', ink: '#1c1e21', muted: '#5b616b', rule: '#dedad1', grid: '#e9e6df', zero: '#a9a498', link: '#0b5cad',
    heat: '#4a90d2', warn: '#fdf0c8', warnInk: '#5c3d00', good: '#1b6b3a', bad: '#a3301c',
    series0: '#0b64ad', series1: '#bd4a00', series2: '#00775a', series3: '#9a3f7d', series4: '#7d6200',
  },
  dark: {
    page: '#15171b', panel: '#1b1e23', ink: '#e9e6df', muted: '#a6abb5', rule: '#363a42', grid: '#292d34', zero: '#6b717c', link: '#7db9f2',
    heat: '#2f6fae', warn: '#4a3a10', warnInk: '#ffe9b0', good: '#7fd29a', bad: '#ff9c86',
    series0: '#6fb4f2', series1: '#ff9a5c', series2: '#4fcdaa', series3: '#e39cc9', series4: '#e0bf4f',
  },
} as const;

const variables = (colours: Readonly<Record<string, string>>): string => Object.entries(colours).map(([name, colour]) => `--${name}: ${colour};`).join(' ');

/** The page's whole style sheet: screen in light and dark, phone, print. No rule loads anything. */
export const styleSheet = `
:root { color-scheme: light; ${variables(palette.light)} 
  --text: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Open Sans', sans-serif;
  --display: 'Iowan Old Style', 'Palatino Linotype', Palatino, Charter, Georgia, 'Noto Serif', serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; ${variables(palette.dark)} } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 var(--text); font-variant-numeric: tabular-nums lining-nums; }
header, main, footer { max-width: 82rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
header { padding-top: clamp(1.5rem, 5vw, 3.5rem); }
h1, h2, h3 { font-family: var(--display); font-weight: 600; line-height: 1.2; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.75rem, 4.5vw, 2.6rem); letter-spacing: -0.015em; margin: 0 0 0.9rem; }
h2 { font-size: 1.6rem; letter-spacing: -0.01em; margin: 3.5rem 0 0.5rem; padding-top: 1.1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.25rem; margin: 0 0 0.2rem; }
h4 { font-size: 0.95rem; margin: 1.6rem 0 0.3rem; }
p, ul { max-width: 46rem; margin: 0.5rem 0; overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; }
li { margin: 0.3rem 0; }
a { color: var(--link); text-underline-offset: 0.15em; }
.lead p { font-size: 1.125rem; max-width: 48rem; }
.quiet { color: var(--muted); font-size: 0.9rem; }
.banner { background: var(--warn); color: var(--warnInk); border-left: 4px solid currentColor; padding: 0.7rem 1rem; margin: 0 0 1.4rem; max-width: none; border-radius: 3px; }
.tag { display: inline-block; background: var(--warn); color: var(--warnInk); font: 600 0.75rem/1.5 var(--text); letter-spacing: 0.02em; padding: 0 0.45em; border-radius: 3px; white-space: nowrap; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1px;
  background: var(--rule); border: 1px solid var(--rule); border-radius: 6px; overflow: hidden; margin: 1.8rem 0 0; padding: 0; max-width: none; }
.tiles div { background: var(--panel); padding: 0.75rem 1rem; }
.tiles dt { color: var(--muted); font-size: 0.82rem; }
.tiles dd { margin: 0; font-size: 1.35rem; font-weight: 600; line-height: 1.3; }
nav ul { margin-top: 1.2rem; display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; list-style: none; padding: 0; max-width: none; font-size: 0.92rem; }
nav li { margin: 0; }
.scroll { overflow-x: auto; margin: 0.9rem 0 0.4rem; border: 1px solid var(--rule); border-radius: 6px; /* a shade at the right edge, covered by what travels with the content, as long as there is more to scroll to */
  background: linear-gradient(to left, var(--panel) 1.6rem, transparent) right / 3rem 100% no-repeat local, linear-gradient(to left, rgb(0 0 0 / 0.28), transparent) right / 0.9rem 100% no-repeat, var(--panel); }
.scroll:focus-visible, a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; line-height: 1.4; }
caption { text-align: left; padding: 0.65rem 0 0.5rem; color: var(--muted); font-size: 0.85rem; }
caption div { position: sticky; left: 0; width: fit-content; max-width: min(76rem, 100vw - 2.2rem); padding: 0 0.9rem; }
th, td { padding: 0.42rem 0.9rem; text-align: left; vertical-align: middle; border-top: 1px solid var(--grid); }
thead th { border-top: 0; border-bottom: 1px solid var(--rule); vertical-align: bottom; font-weight: 600; font-size: 0.82rem; color: var(--muted); white-space: nowrap; }
tbody th { font-weight: 500; white-space: nowrap; }
tr > th:first-child:not([colspan]) { position: sticky; left: 0; z-index: 1; background: var(--panel); }
tbody th[scope=rowgroup] { color: var(--muted); font-size: 0.8rem; font-weight: 600; padding-top: 0.9rem; }
tbody + tbody { border-top: 1px solid var(--rule); }
.number { text-align: right; white-space: nowrap; }
.score { white-space: nowrap; font-weight: 650; font-size: 1rem; }
.interval { color: var(--muted); white-space: nowrap; }
.plot { position: relative; min-width: 13rem; width: 32%; padding: 0; }
.wide .plot { min-width: 14rem; width: 30%; }
.wide tbody th, .wide tbody td { padding-top: 0.85rem; padding-bottom: 0.85rem; } .wide tbody td.plot { padding: 0; }
.plot svg.dots, .plot svg.axis { position: absolute; left: 1rem; top: 0; width: calc(100% - 2rem); height: 100%; overflow: visible; }
.above { color: var(--good); } .below { color: var(--bad); } .unclear { color: var(--muted); }
.verdict { white-space: nowrap; }
.mono { font: 0.82rem/1.5 var(--mono); overflow-wrap: anywhere; } td .mono { overflow-wrap: normal; } td .hash { display: inline-block; min-width: 9rem; max-width: 33ch; overflow-wrap: anywhere; }
svg { display: block; }
svg text { font: 12px var(--text); fill: var(--muted); font-variant-numeric: tabular-nums; }
.axis text { font-weight: 400; }
.sign { display: inline-block; vertical-align: -3px; margin-right: 0.35em; overflow: visible; }
.grid { stroke: var(--grid); stroke-width: 1; } .zero { stroke: var(--zero); }
.style0 { --series: var(--series0); --dash: none; } .style1 { --series: var(--series1); --dash: 7 3; }
.style2 { --series: var(--series2); --dash: 2 3; } .style3 { --series: var(--series3); --dash: 9 3 2 3; } .style4 { --series: var(--series4); --dash: 4 2; }
.model path { fill: var(--series); stroke: var(--panel); stroke-width: 1; }
.model .whisker { stroke: var(--series); stroke-width: 2.25; stroke-linecap: round; }
.baseline rect { fill: var(--panel); stroke: var(--muted); stroke-width: 1.5; }
.bestBaseline rect { fill: var(--muted); stroke: var(--panel); stroke-width: 1; }
.baseline .whisker, .bestBaseline .whisker { stroke: var(--muted); stroke-width: 1.25; }
.published line { stroke: var(--ink); stroke-width: 1.75; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; font-size: 0.88rem; list-style: none; padding: 0; margin: 0.9rem 0 0; max-width: none; }
.legend li { margin: 0; }
.legend svg.stroke { display: inline-block; vertical-align: 3px; margin-right: 0.4em; }
.curve { fill: none; stroke: var(--series); stroke-width: 1.75; stroke-dasharray: var(--dash); stroke-linejoin: round; opacity: 0.85; }
.point { fill: var(--series); }
.task { background: none; margin: 2.2rem 0 3rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1.2rem 1.6rem; margin: 0.6rem 0; }
.matrices { display: flex; flex-wrap: wrap; gap: 1.2rem 2.2rem; margin: 0.6rem 0; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: 0.88rem; color: var(--muted); margin-bottom: 0.35rem; }
.curves { width: 100%; max-width: 30rem; height: auto; }
.confusion { max-width: 100%; height: auto; }
.heat { fill: var(--heat); stroke: var(--grid); stroke-width: 1; } .diagonal { stroke: var(--muted); stroke-width: 1.5; }
.confusion .strong { fill: var(--ink); font-weight: 600; font-size: 12.5px; } .confusion .small { fill: var(--ink); font-size: 10.5px; }
.balance { display: flex; height: 0.85rem; min-width: 9rem; gap: 1px; border-radius: 2px; overflow: hidden; background: var(--panel); }
.clean { white-space: nowrap; } .leak { max-width: 11rem; margin-bottom: 0.15rem; }
.bin { fill: var(--series); fill-opacity: 0.75; stroke: var(--panel); } .bestBaseline .bin { fill: var(--muted); } .calibration { max-width: 100%; height: auto; } .cost text.small { font-size: 11px; fill: var(--ink); paint-order: stroke; stroke: var(--page); stroke-width: 3px; } .leader { stroke: var(--zero); stroke-width: 1; }
.balance span { background: var(--muted); min-width: 1px; } .balance span:nth-child(even) { background: var(--zero); } .leak span:nth-child(even) { background: var(--grid); }
footer { padding-bottom: 4rem; }
dl.facts { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: 0.25rem 1.4rem; margin: 0.8rem 0; font-size: 0.9rem; }
dl.facts dt { color: var(--muted); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  :root { font-size: 15px; } .lead p { font-size: 1.05rem; } h2 { margin-top: 2.6rem; }
  th, td { padding: 0.42rem 0.65rem; } .plot, .wide .plot { min-width: 8.5rem; } .plot svg.dots, .plot svg.axis { left: 0.7rem; width: calc(100% - 1.4rem); } .axis text:nth-of-type(even) { display: none; } .tiles dd { font-size: 1.15rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: 0.5rem; }
}
@media print {
  @page { margin: 14mm 12mm; }
  :root { font-size: 9pt; } body { background: none; } header, main, footer { max-width: none; padding: 0; } nav { display: none; }
  h2 { margin-top: 1.6rem; } h2, h3, h4, figcaption, caption { break-after: avoid; } tr, figure, .banner, .tiles { break-inside: avoid; } thead { display: table-header-group; }
  .scroll { overflow: visible; border-color: var(--rule); background: none; } table { font-size: 0.82rem; }
  th, td { padding: 0.2rem 0.35rem; } thead th, .verdict, .interval { white-space: normal; } .plot, .wide .plot { min-width: 6rem; width: 22%; } tbody th { white-space: normal; min-width: 4rem; }
  tr > th:first-child:not([colspan]), caption div { position: static; max-width: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
