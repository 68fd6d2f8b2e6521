import { dataTable } from './dataTable';
import { count, share } from './format';
import { html, type Html } from './html';
import { anchor } from './scoreMatrix';
import { rowsOf, type Clean, type Summary, type TaskSummary } from './summary';

/** What of each test set can be known from its training set. */
export function leakPanel(summary: Summary): Html | false {
  const audited = summary.tasks.flatMap((task) => {
    const clean = rowsOf(task).find((row) => row.clean)?.clean;
    return clean ? [{ task, clean }] : [];
  });
  if (!audited.length) return false;
  const [{ clean: { identity, coverage } }] = audited;
  return html`<p>A near duplicate is a test row that aligns to a training row with ${share(identity)} identity over at least ${share(coverage)} of its length, on either strand. What a model remembers scores there; what it learnt scores on the rest. The columns count test rows: <em>copies</em> stand in train letter by letter, <em>reversed</em> on the other strand; <em>conflicts</em> are copies with another label, <em>opposed</em> near duplicates of a row with another label; <em>twins</em> have the same base as a row of another label at half of the positions. <em>Agree</em>: near duplicates whose nearest row has their label. <em>Inside train</em>: training rows that repeat another.</p>
${dataTable({
    caption: 'Test rows that stand, or nearly stand, in train', simulated: summary.simulated, groups: [{ rows: audited.map(({ task, clean }) => cells(task, clean)) }],
    columns: [{ head: 'Task' }, { head: 'Near duplicates' }, ...['Copies', 'Reversed', 'Conflicts', 'Opposed', 'Twins', 'Agree', 'Inside train'].map((head) => ({ head, kind: 'number' as const }))],
  })}`;
}

function cells(task: TaskSummary, { items, homologousItems, leaks }: Clean): readonly (string | Html)[] {
  const total = items + homologousItems;
  const bar = html`<span class="balance leak" aria-hidden="true"><span style="flex: ${homologousItems}"></span><span style="flex: ${items}"></span></span>`;
  const near = html`${bar}${share(homologousItems / total)} <span class="quiet clean">${count(homologousItems)} of ${count(total)}</span>`;
  const name = html`<a href="#${anchor(task)}">${task.task.name}</a>`;
  if (!leaks) return [name, near, ...new Array<string>(7).fill('')];
  const { exactDuplicates, reverseComplementDuplicates, labelConflicts, oppositeLabelTwins, positionalTwins, labelAgreement, duplicatesInTrain } = leaks;
  return [name, near, ...[exactDuplicates, reverseComplementDuplicates, labelConflicts, oppositeLabelTwins, positionalTwins].map(count), labelAgreement === undefined ? '' : share(labelAgreement), count(duplicatesInTrain)];
}
