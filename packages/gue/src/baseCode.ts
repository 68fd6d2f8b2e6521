/** 0 to 3 for A, C, G, T or U in either case, 4 for anything else. */
const codes = new Uint8Array(256).fill(4);
'ACGTacgt'.split('').forEach((letter, i) => (codes[letter.charCodeAt(0)] = i % 4));
codes['U'.charCodeAt(0)] = codes['u'.charCodeAt(0)] = 3;

/** The number of the base at a position: 0 to 3 for A, C, G, T (or U), 4 for any other letter. */
export const baseCode = (sequence: string, position: number): number => codes[sequence.charCodeAt(position) & 255];
