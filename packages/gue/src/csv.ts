import { FormatError } from '@genomelm/genome-io';

export interface CsvRow {
  readonly fields: readonly string[];
  /** 1-based line on which the row starts. */
  readonly line: number;
}

/**
 * Reads comma-separated values (RFC 4180): quoted fields with doubled quotes, line breaks inside quotes, LF, CRLF or CR. Blank lines at the end are dropped.
 * @param file - named in errors
 */
export function* parseCsv(text: string, file: string): Generator<CsvRow> {
  let end = text.length;
  while (end > 0 && (text[end - 1] === '\n' || text[end - 1] === '\r')) end--;
  const plain = /[^",\r\n]*/y;
  let at = 0;
  let line = 1;
  while (at < end) {
    const fields: string[] = [];
    const start = line;
    for (;;) {
      if (text[at] === '"') {
        const field = quotedField(text, at, file, line);
        fields.push(field.value);
        line += field.value.match(/\r\n|\r|\n/g)?.length ?? 0;
        at = field.next;
      } else {
        plain.lastIndex = at;
        const [value] = plain.exec(text)!;
        fields.push(value);
        at += value.length;
      }
      if (text[at] !== ',') break;
      at++;
    }
    if (at < end && text[at] !== '\r' && text[at] !== '\n')
      throw new FormatError(`parseCsv: expected a comma or the end of the line, got ${JSON.stringify(text[at])} in ${file}, line ${line}; quote the whole field and double the quotes inside it`, { format: 'csv', line });
    at += text.startsWith('\r\n', at) ? 2 : 1;
    line++;
    yield { fields, line: start };
  }
}

/** The field whose opening quote stands at `open`, and where the text goes on. */
function quotedField(text: string, open: number, file: string, line: number): { value: string; next: number } {
  for (let from = open + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote < 0) throw new FormatError(`parseCsv: expected a closing quote, got the end of ${file} for the field that opens in line ${line}; the file may be cut off`, { format: 'csv', line });
    if (text[quote + 1] !== '"') return { value: text.slice(open + 1, quote).replaceAll('""', '"'), next: quote + 1 };
    from = quote + 2;
  }
}
