import { modificationDefinition } from './vcfValidateStructural';
import { reserved, type VcfMetaLine } from './vcfHeader';

type Fail = (expected: string, got: string, section: string) => never;

const types = ['Integer', 'Float', 'Flag', 'Character', 'String'];

/** Since 4.3 (section 1.2); line ends are gone when a line is looked at. */
export const unprintable = /[\0-\x08\x0b-\x1f]/; // eslint-disable-line no-control-regex -- they are what is looked for
/** Keys since 4.3 (sections 1.6.1 and 1.6.2). */
export const infoKey = /^(?:[A-Za-z_][0-9A-Za-z_.]*|1000G)$/;
export const formatKey = /^[A-Za-z_][0-9A-Za-z_.]*$/;

/** Checks one `##` line of a file of version 4.`minor`. */
export function checkMetaLine(text: string, { key, value, fields, problem }: VcfMetaLine, minor: number, fail: Fail): void {
  const section = minor < 3 ? '1.2' : '1.4';
  if (!/^##[^=<>\s][^=<>]*=./.test(text)) fail('##key=value', JSON.stringify(text.slice(0, 60)), section);
  if (minor >= 3 && unprintable.test(text)) fail('no control characters', JSON.stringify(text.slice(0, 60)), '1.2');
  if (problem !== undefined) fail(problem.split(', got ')[0], problem.split(', got ')[1], section);
  if (key === 'assembly' || key === 'pedigreeDB') {
    const address = value.replace(/^<(.*)>$/, '$1');
    if (address === '' || (address.includes('://') && !/^[a-z][a-z0-9+.-]*:\/\/(?:[^\s/@]+@)?(?:[a-z][\w.-]*|\d+(?:\.\d+){3}|\[[0-9a-f:]+\])?(?::\d+)?(?:\/\S*)?$/i.test(address))) fail(`${key} with an address`, JSON.stringify(value), section);
    return;
  }
  if (!['INFO', 'FORMAT', 'FILTER', 'ALT', 'contig', 'SAMPLE', 'PEDIGREE', ...(minor < 3 ? [] : ['META'])].includes(key)) return;
  if (!fields) return fail(`${key}=<…>`, JSON.stringify(value.slice(0, 60)), section);
  const order = [...fields.keys()];
  const id = fields.get('ID');
  if (key === 'PEDIGREE') {
    const unquoted = value.replace(/="(?:[^"\\]|\\.)*"/g, '=quoted');
    const names = minor < 3 ? [...fields.values()] : [...unquoted.matchAll(/=([^,>]*)/g)].map(([, name]) => name);
    if (names.some((name) => !/^[\w.-]+$/.test(name))) fail('names of genomes in PEDIGREE without blanks and punctuation', value, section);
    return;
  }
  if (id === undefined || id === '' || (minor < 4 && order[0] !== 'ID')) fail(`${key} with its ID first`, JSON.stringify(value.slice(0, 60)), section);
  if (/[\s,<>]/.test(id!)) fail(`an ID of ${key} without blanks, commas and brackets`, JSON.stringify(id), section);
  if (key === 'SAMPLE') {
    if (minor < 3 && (!fields.has('Genomes') || !fields.has('Mixture'))) fail('SAMPLE with Genomes and Mixture', value, section);
    if (minor < 3 && /(?:Genomes|Mixture)="/.test(value)) fail('Genomes and Mixture without quotes', value, section);
    return;
  }
  if (key === 'META') {
    if (!['Type', 'Number', 'Values'].every((name) => fields.has(name))) fail('META with ID, Type, Number and Values', value, '1.4.8');
    if (!types.includes(fields.get('Type')!)) fail(`META of a type of ${types.join(', ')}`, JSON.stringify(fields.get('Type')), '1.4.8');
    if (!/^(?:\d+|\.)$/.test(fields.get('Number')!)) fail('META with a count or . as Number', JSON.stringify(fields.get('Number')), '1.4.8');
    if (!/^\[.*\]$/.test(fields.get('Values')!)) fail('META with Values in square brackets', JSON.stringify(fields.get('Values')), '1.4.8');
    return;
  }
  if (key === 'contig') {
    if (minor >= 3 && !/^[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*$/.test(id!)) fail('a contig name of the letters that SAM allows', JSON.stringify(id), '1.4.7');
    if (minor >= 3 && /^(?:DEL|INS|DUP|INV|CNV|BND|NON_REF)(?::|$)/.test(id!)) fail('a contig name that is no symbolic allele', JSON.stringify(id), '1.4.7');
    if (fields.has('length') && !/^\d+$/.test(fields.get('length')!)) fail('a contig length in whole bases', JSON.stringify(fields.get('length')), section);
    return;
  }
  if (!(minor < 3 ? /,Description="/ : /[<,]Description="/).test(value)) fail(`${key} with a Description in quotes`, value.slice(0, 80), section);
  if (key === 'ALT' && !isAlternative(id!, minor)) fail('an ALT of DEL, INS, DUP, INV or CNV, with subtypes after colons', JSON.stringify(id), section);
  if (minor >= 3 && ((key === 'INFO' && !infoKey.test(id!)) || (key === 'FORMAT' && !formatKey.test(id!)))) fail(`an ID of ${key} of letters, digits, _ and ., not beginning with a digit`, JSON.stringify(id), '1.6');
  if (minor >= 3 && /,(?:Source|Version)=[^"]/.test(value.replace(/"(?:[^"\\]|\\.)*"/g, '""'))) fail('Source and Version in quotes', value.slice(0, 80), '1.4.2');
  checkDefinition(key, id!, fields, order, minor, (expected, got) => fail(expected, got, section));
}

/** Types of structural variants with subtypes, IUPAC codes, and what programs write for any other allele. Since 4.3 any name without a colon too, as the specification's test files have it. */
function isAlternative(id: string, minor: number): boolean {
  if (/^BND(?::.+)?$/.test(id)) return minor < 4;
  if (/^(?:DEL|INS|DUP|INV|CNV):/.test(id)) return true;
  return minor < 3 ? /^(?:DEL|INS|DUP|INV|CNV|CN\d+|\*|NON_REF|[RYSWKMBDHVNX])$/.test(id) : !id.includes(':');
}

function checkDefinition(key: string, id: string, fields: ReadonlyMap<string, string>, order: readonly string[], minor: number, fail: (expected: string, got: string) => never): void {
  const number = fields.get('Number');
  const type = fields.get('Type');
  const required = key === 'INFO' || key === 'FORMAT';
  if (required && (number === undefined || type === undefined)) fail(`${key} with ID, Number, Type and Description`, order.join(','));
  const symbols = ['A', 'G', '.', ...(minor > 1 ? ['R'] : []), ...(minor > 3 ? ['P'] : []), ...(minor > 4 ? ['LA', 'LR', 'LG', 'M'] : [])];
  if (number !== undefined && !/^\d+$/.test(number) && !symbols.includes(number)) fail(`Number as a count or one of ${symbols.join(' ')}`, number);
  if (type !== undefined && (!types.includes(type) || (key === 'FORMAT' && type === 'Flag'))) fail(`Type as one of ${types.join(', ')} (no Flag in FORMAT)`, type);
  if (minor >= 3 && type === 'Flag' && number !== '0' && number !== 'A') fail('Number=0 for a Flag', number ?? 'none'); // A: so the specification's own test file of 4.3 has it
  const known = ['ID', 'Number', 'Type', 'Description'].filter((name) => fields.has(name));
  if (minor < 4 && order.filter((name) => known.includes(name)).join() !== known.join()) fail(`the fields in the order ${known.join(', ')}`, order.join(', '));
  const own = key === 'INFO' ? reserved(minor).info.get(id) : key === 'FORMAT' ? reserved(minor).format.get(id) ?? modificationDefinition(id, minor) : undefined;
  if (own && number !== own.number) fail(`${key} ${id} with Number=${own.number}`, number ?? 'none');
  if (own && type !== own.type && !(type === 'Integer' && ((id === 'MQ' && key === 'INFO') || id === 'LGL' || id === 'LGP'))) fail(`${key} ${id} with Type=${own.type}`, type ?? 'none');
}
