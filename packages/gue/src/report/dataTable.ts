import { html, type Html } from './html';

export interface Column {
  readonly head: string | Html;
  /** `number` is set flush right, `plot` holds a drawing that fills its cell. */
  readonly kind?: 'text' | 'number' | 'plot';
}

/** Rows under one heading; the first cell of a row names it. */
export interface RowGroup {
  readonly head?: string;
  readonly rows: readonly (readonly (string | number | Html)[])[];
}

const classOf = (column: Column): Html | false => column.kind !== undefined && column.kind !== 'text' && html` class="${column.kind}"`;

export const simulatedTag = (simulated: boolean): Html | false => simulated && html` <span class="tag">simulated</span>`;

/** A table in its own scrolling box. Every table of a report is made here, so that none can forget to say that its data are simulated. */
export function dataTable(options: { readonly caption: string; readonly simulated: boolean; readonly columns: readonly Column[]; readonly groups: readonly RowGroup[]; readonly wide?: boolean }): Html {
  const { caption, simulated, columns, groups, wide } = options;
  return html`<div class="scroll${wide && ' wide'}" role="region" tabindex="0" aria-label="${caption}"><table>
<caption><div>${simulatedTag(simulated)} ${caption}</div></caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${classOf(column)}>${column.head}</th>`)}</tr></thead>
${groups.filter((group) => group.rows.length > 0).map((group) => html`<tbody>${group.head !== undefined && html`<tr><th scope="rowgroup" colspan="${columns.length}">${group.head}</th></tr>`}
${group.rows.map((cells) => html`<tr>${cells.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td${classOf(columns[i])}>${cell}</td>`))}</tr>
`)}</tbody>`)}
</table></div>`;
}
