// What the readers of FASTA and FASTQ know about bytes.

export const newline = 10;
export const carriageReturn = 13;
/** Bytes of a header line that are still believed to be one. */
export const longestHeader = 1 << 20;
export const keep = 1;
export const blank = 2;
/** What each byte of a sequence line is: letters, `*` (stop), `-` and `.` (gaps) are kept, blanks left out, all else ends the line or is an error. */
export const kinds = Uint8Array.from({ length: 256 }, (_, byte) => (/[A-Za-z*.-]/.test(String.fromCharCode(byte)) ? keep : byte === 32 || byte === 9 ? blank : 0));

/** A byte as messages show it. */
export const show = (byte: number) => (byte > 32 && byte < 127 ? JSON.stringify(String.fromCharCode(byte)) : `byte 0x${byte.toString(16).padStart(2, '0')}`);
