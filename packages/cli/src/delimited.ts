/** How the fields of a file are told apart: by tabs where its first line has one, else by commas. */
export const separatorOf = (firstLine: string): string => (firstLine.includes('\t') ? '\t' : ',');

/** The fields of a line, without blanks and quotes around them. Neither sequences nor labels hold a separator. */
export const cutFields = (line: string, separator: string): string[] => line.replace(/^\uFEFF/, '').split(separator).map((field) => field.trim().replace(/^"(.*)"$/, '$1').trim());
