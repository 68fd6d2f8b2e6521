import {
  bgzfCompress, createFastaIndex, openFasta, openTwoBit, openVcf, readBytes, readFasta, readFastq, readGff, readVcf, serializeFai, toVirtualOffset, writeTwoBit,
  type BgzfBlock, type RandomAccessSource,
} from '@genomelm/genome-io';

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
let state = 11;
const bases = (length: number): string => Array.from({ length }, () => 'ACGT'[(state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 30]).join('');

const contigs = [{ name: 'chr1', text: bases(150_000) }, { name: 'chr2', text: `${bases(70_000)}NNNNNNNN${bases(9000).toLowerCase()}` }];
const fasta = contigs.map(({ name, text }) => `>${name}\n${text.replace(/.{60}/g, '$&\n')}\n`).join('');
const reads = Array.from({ length: 3000 }, (_, i) => ({ name: `r${i}`, text: bases(50) }));
const header = '##fileformat=VCFv4.2\n##contig=<ID=chr1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n';
const rows = Array.from({ length: 400 }, (_, i) => `chr1\t${10 + 40 * i}\tv${i}\tA\tC\t.\t.\t.\n`).filter((_, i) => i * 40 < 16_000);

const bytesOf = async (): Promise<Record<string, Uint8Array>> => {
  const vcf: BgzfBlock[] = [];
  const variants = await bgzfCompress(encode(header + rows.join('')), { onBlock: (block) => vcf.push(block) });
  return {
    'genome.fa': encode(fasta), 'genome.fa.fai': encode(serializeFai(await createFastaIndex(encode(fasta)))), 'genome.fa.gz': await bgzfCompress(encode(fasta)),
    'genome.2bit': await writeTwoBit(contigs.map(({ name, text }) => ({ name, sequence: encode(text) }))),
    'reads.fastq.gz': await bgzfCompress(encode(reads.map(({ name, text }) => `@${name}\n${text}\n+\n${'I'.repeat(text.length)}\n`).join(''))),
    'v.vcf.gz': variants, 'v.vcf.gz.tbi': await tabix('chr1', toVirtualOffset(0, header.length), toVirtualOffset(vcf[0].length, 0)),
    'a.gff.gz': await bgzfCompress(encode('##gff-version 3\nchr1\tx\tgene\t11\t20\t.\t+\t.\tID=g\n')),
  };
};

/** A .tbi whose only bin is the first 16 kb of one contig, as the tabix specification lays it out. */
function tabix(contig: string, begin: bigint, end: bigint): Promise<Uint8Array> {
  const name = encode(`${contig}\0`);
  const bytes = new Uint8Array(36 + name.length + 44);
  const view = new DataView(bytes.buffer);
  bytes.set(encode('TBI\u0001'));
  for (const [i, value] of [1, 2, 1, 2, 0, 35, 0, name.length].entries()) view.setInt32(4 + 4 * i, value, true);
  bytes.set(name, 36);
  const at = 36 + name.length;
  for (const [i, value] of [1, 4681, 1].entries()) view.setInt32(at + 4 * i, value, true);
  for (const [i, value] of [begin, end].entries()) view.setBigUint64(at + 12 + 8 * i, value, true);
  view.setInt32(at + 28, 1, true);
  view.setBigUint64(at + 32, begin, true);
  return bgzfCompress(bytes.subarray(0, at + 40));
}

function expectEqual(what: string, got: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b?.slice(0, 80)}, got ${a?.slice(0, 80)}`);
}

/** What a kind of source must give, whatever it is. */
const checks: Readonly<Record<string, (open: (name: string) => RandomAccessSource) => Promise<void>>> = {
  'FASTA by region': async (open) => {
    const file = openFasta(open('genome.fa'), { fai: open('genome.fa.fai') });
    expectEqual('contigs', (await file.contigs()).map(({ name, length }) => [name, length]), contigs.map(({ name, text }) => [name, text.length]));
    expectEqual('bases', decode(await file.fetch('chr2', 69_990, 70_020)), contigs[1].text.slice(69_990, 70_020));
    await file.close();
  },
  'bgzipped FASTA by region and as a stream': async (open) => {
    const file = openFasta(open('genome.fa.gz'));
    for (const [contig, start, end] of [['chr1', 65_500, 65_600], ['chr2', 78_900, 79_008], ['chr1', 0, 150_000]] as const) expectEqual(contig, decode(await file.fetch(contig, start, end)), contigs.find(({ name }) => name === contig)!.text.slice(start, end));
    await file.close();
    const read: string[] = [];
    for await (const { name, sequence } of readFasta(open('genome.fa.gz'))) read.push(name, decode(sequence));
    expectEqual('records', read, contigs.flatMap(({ name, text }) => [name, text]));
  },
  '2bit by region': async (open) => {
    const file = openTwoBit(open('genome.2bit'));
    expectEqual('bases', decode(await file.fetch('chr2', 69_950, 70_050)), contigs[1].text.slice(69_950, 70_050));
    await file.close();
  },
  'bgzipped FASTQ as a stream': async (open) => {
    const read: string[] = [];
    for await (const { name, sequence } of readFastq(open('reads.fastq.gz'))) read.push(name + decode(sequence));
    expectEqual('reads', read, reads.map(({ name, text }) => name + text));
  },
  'tabix VCF by region, and as a stream': async (open) => {
    const file = openVcf(open('v.vcf.gz'), { index: open('v.vcf.gz.tbi') });
    const found: string[] = [];
    for await (const { ids } of file.query('chr1', 1000, 1200)) found.push(ids[0]);
    expectEqual('records', found, ['v25', 'v26', 'v27', 'v28', 'v29']);
    await file.close();
    let count = 0;
    for await (const { contig } of readVcf(open('v.vcf.gz'), { validate: true })) count += contig === 'chr1' ? 1 : 0;
    expectEqual('rows', count, rows.length);
  },
  'bgzipped GFF3 as a stream': async (open) => {
    for await (const { type, start, end } of readGff(open('a.gff.gz'))) expectEqual('feature', [type, start, end], ['gene', 10, 20]);
  },
};

const rejects = async (what: string, promise: Promise<unknown>, message: RegExp): Promise<void> => {
  const error = await promise.then(() => undefined, (reason: unknown) => reason as Error);
  if (!message.test(String(error))) throw new Error(`${what}: expected an error like ${message}, got ${String(error)}`);
};

/** What only HTTP can do wrong. The server answers 503 so many times as `fail` says, not at all with `hang`, without ranges with `whole`. */
const overHttp: Readonly<Record<string, (address: (name: string) => string) => Promise<void>>> = {
  'failures that pass are tried again': async (address) => {
    const file = openFasta(`${address('genome.fa')}?fail=2&run=a`, { fai: address('genome.fa.fai') });
    expectEqual('bases', decode(await file.fetch('chr1', 0, 10)), contigs[0].text.slice(0, 10));
    await rejects('no retries', openTwoBit(`${address('genome.2bit')}?fail=9&run=b`, { retries: 0 }).contigs(), /503/);
  },
  'an AbortSignal ends a request under way': async (address) => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('enough')), 50);
    await rejects('fetch', openFasta(`${address('genome.fa')}?hang`, { fai: address('genome.fa.fai'), signal: abort.signal }).fetch('chr1', 0, 10), /enough/);
    await rejects('stream', readBytes(`${address('genome.fa')}?hang`, { signal: abort.signal }).next(), /enough/);
  },
  'a server without ranges is told': (address) => rejects('fetch', openFasta(`${address('genome.fa')}?whole`, { fai: address('genome.fa.fai') }).fetch('chr1', 0, 10), /ignores Range/),
};

const results: Record<string, { ok: boolean; error?: string }> = {};
const check = async (name: string, body: () => Promise<void>): Promise<void> => {
  results[name] = await body().then(() => ({ ok: true }), (error: unknown) => ({ ok: false, error: error instanceof Error ? `${error.message} ${error.stack ?? ''}` : String(error) }));
};
const bytes = await bytesOf();
const file = (name: string): File => new File([bytes[name] as Uint8Array<ArrayBuffer>], name);
for (const [name, body] of Object.entries(checks)) await check(`${name}, from a File`, () => body(file));
const put = await Promise.all(Object.entries(bytes).map(([name, body]) => fetch(`/put/${name}`, { method: 'PUT', body: body as Uint8Array<ArrayBuffer> }).catch(() => undefined)));
if (put.every((response) => response?.ok)) {
  const address = (name: string): string => new URL(`/put/${name}`, location.href).href;
  for (const [name, body] of Object.entries(checks)) await check(`${name}, over HTTP`, () => body(address));
  for (const [name, body] of Object.entries(overHttp)) await check(name, () => body(address));
}
const passed = Object.values(results).filter(({ ok }) => ok).length;
const summary = document.getElementById('summary')!;
summary.textContent = `${passed} of ${Object.keys(results).length} read what they should`;
summary.className = passed === Object.keys(results).length ? 'ok' : 'failed';
for (const [name, { ok, error }] of Object.entries(results)) {
  const [term, detail] = [document.createElement('dt'), document.createElement('dd')];
  term.textContent = name;
  detail.textContent = ok ? 'as it should' : error!;
  document.getElementById('facts')!.append(term, detail);
}
Object.assign(globalThis, { results });
