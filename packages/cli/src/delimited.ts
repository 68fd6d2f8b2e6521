/** How the fields of a file are told apart: by tabs where its first line has one, else by commas. */
export const separatorOf = (firstLine: string): string => (firstLine.includes('\t') ? '\t' : ',');

/** The fields of a line, without blanks and quotes around them. Neither sequences nor labels hold a separator. */
export const cutFields = (line: string, separator: string): string[] => line.replace(/^\uFEFF/, '').split(separator).map((field) => field.trim().replace(/^"(.*)"$/, '$1').trim());

/** Where a header has the sequence, and the second of a pair: by name; `pair` is -1 where there is none, `sequence` too where no name is known. */
export const sequenceColumns = (header: readonly string[]): { readonly sequence: number; readonly pair: number } => ({
  sequence: header.findIndex((name) => name === 'sequence' || name === 'sequence1'),
  pair: header.findIndex((name) => name === 'sequence2' || name === 'pair'),
});
