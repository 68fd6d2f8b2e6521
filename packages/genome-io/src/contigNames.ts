// Files about one genome often name its contigs differently (`I` and `chrI`). Joining them is an error until somebody says which is which.
import { FormatError } from './formatError';
import { unknownContig } from './sequenceFile';

/** Names of contigs in one file and what the other calls them, for example `{I: 'chrI'}`. */
export type ContigAliases = Readonly<Record<string, string>>;

/**
 * Reads a table of aliases: two columns a line, blanks or a tab between, the second the name in the reference; lines that begin with # are comments.
 * @throws FormatError (`aliases`, with the line) for other than two columns and a name that comes twice.
 */
export function parseAliases(text: string): ContigAliases {
  const aliases: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const columns = line.trim().split(/\s+/);
    const fail = (expected: string, got: string) => new FormatError(`parseAliases: expected ${expected} at line ${i + 1}, got ${got}; write one pair of names a line`, { format: 'aliases', line: i + 1 });
    if (columns.length !== 2) throw fail('two columns', `${columns.length}`);
    if (columns[0] in aliases) throw fail('every name once', JSON.stringify(columns[0]));
    aliases[columns[0]] = columns[1];
  }
  return aliases;
}

/** What the reference calls `contig`. */
export const aliasOf = (aliases: ContigAliases | undefined, contig: string): string => (aliases && Object.hasOwn(aliases, contig) ? aliases[contig] : contig);

/**
 * Intervals by the contigs of a reference, each list in the order of `records`.
 * @param known - names of the reference's contigs
 * @throws RangeError for a contig that is none of them after `aliases`, naming both sides: an empty join would look like an empty file.
 */
export async function groupByContig<T extends { readonly contig: string }>(records: AsyncIterable<T> | Iterable<T>, known: readonly string[], aliases?: ContigAliases): Promise<Map<string, T[]>> {
  const names = new Set(known);
  const groups = new Map<string, T[]>();
  for await (const record of records) {
    const contig = aliasOf(aliases, record.contig);
    const group = groups.get(contig);
    if (group) group.push(record);
    else if (names.has(contig)) groups.set(contig, [record]);
    else unknownContig('groupByContig', contig, known, 'pass aliases, or leave these records out');
  }
  return groups;
}
