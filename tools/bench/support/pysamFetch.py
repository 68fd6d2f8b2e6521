"""Fetches the intervals on standard input (contig, start, end with tabs between) from an indexed FASTA file: prints the bases, or with 1 the seconds that it took."""
import sys
import time

import pysam

path, timed = sys.argv[1:]
rows = [line.split("\t") for line in sys.stdin.read().split("\n")]
rows = [(contig, int(start), int(end)) for contig, start, end in rows]
file = pysam.FastaFile(path)
begun = time.perf_counter()
parts = [file.fetch(contig, start, end) for contig, start, end in rows]
seconds = time.perf_counter() - begun
sys.stdout.write(str(seconds) if timed == "1" else "".join(parts))
