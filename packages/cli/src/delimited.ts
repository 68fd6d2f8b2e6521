/** How the fields of a file are told apart: by tabs where its first line has one, else by commas. */
export const separatorOf = (firstLine: string): string => (firstLine.includes('\t') ? '\t' : ',');

/**
 * The fields of a line, without blanks and quotes around them. Within quotes a separator is a letter like others, and two quotes are one (RFC 4180).
 * But: a field ends with its line, quotes or not; neither sequences nor labels hold line ends.
 */
export function cutFields(line: string, separator: string): string[] {
  const text = line.replace(/^\uFEFF/, '');
  const pieces = text.split(separator);
  if (!text.includes('"')) return pieces.map((field) => field.trim());
  const fields: string[] = [];
  let isOpen = false; // a quote, before the piece
  for (const piece of pieces) {
    if (isOpen) fields[fields.length - 1] += separator + piece;
    else fields.push(piece);
    const isOdd = piece.split('"').length % 2 === 0; // one piece more than quotes
    if (isOdd && (isOpen || piece.trimStart().startsWith('"'))) isOpen = !isOpen;
  }
  return fields.map((field) => field.trim().replace(/^"(.*)"$/, (_whole, inner: string) => inner.replaceAll('""', '"')).trim());
}

/** Where a header has the sequence, and the second of a pair: by name; `pair` is -1 where there is none, `sequence` too where no name is known. */
export const sequenceColumns = (header: readonly string[]): { readonly sequence: number; readonly pair: number } => ({
  sequence: header.findIndex((name) => name === 'sequence' || name === 'sequence1'),
  pair: header.findIndex((name) => name === 'sequence2' || name === 'pair'),
});
