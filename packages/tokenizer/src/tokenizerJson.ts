/**
 * Hugging Face's tokenizer.json (huggingface/tokenizers, version 1.0), as far as BPE for DNA uses it. What this package does not
 * do is refused by name: an option that is silently ignored gives other ids than the model was trained with.
 */
import { createBpeTokenizer, type BpeDefinition, type BpeTokenizer } from './bpe';
import { FormatError, show } from './errors';
import { stepsOf, type AddedToken, type Normalizer, type NormalizerStep, type PreTokenizer } from './text';
import { bareFrame, bertFrame, type Frame, type FramePiece, type Truncation } from './tokenizer';

type Fields = Readonly<Record<string, unknown>>;

const MAX_ENTRIES = 2 ** 22; // of the vocabulary, of merges: a hostile file of ten million would take gigabytes
const MAX_ADDED = 10_000;    // each is looked for in the text
const MAX_PATTERN = 1000;    // letters of each, and of what is replaced: V8 takes no regular expression with a word of 100,000
const MAX_STEPS = 100;       // of a normalizer, each a pass over the text
const MAX_ID = 2 ** 24; // an id is a row of an embedding; a hostile 4,294,967,295 would ask for 16 GiB

/**
 * Reads a BPE tokenizer.json: pre-tokenizer `Whitespace`, `Split` at a string or none; normalizers `Lowercase`, `Uppercase`, `Strip`, `Replace` of a string or
 * of a repeated letter by a letter, a `Sequence` of these or none; added tokens,
 * `fuse_unk`, `TemplateProcessing`, `BertProcessing` or none, merges as strings or as arrays.
 * @throws FormatError that names what is malformed or not supported
 */
export function parseTokenizerJson(json: string | object): BpeTokenizer {
  const file = fields(typeof json === 'string' ? parseJson(json) : json, 'the file',
    ['version', 'truncation', 'added_tokens', 'normalizer', 'pre_tokenizer', 'post_processor', 'decoder', 'model']);
  if (file.version !== undefined && file.version !== '1.0') throw wrong('version', '"1.0"', file.version, 'convert the file');
  const model = readModel(file.model);
  const addedTokens = list(file.added_tokens ?? [], 'added_tokens', MAX_ADDED).map((token, i) => readAddedToken(token, `added_tokens[${i}]`));
  checkIds(model.vocab, addedTokens);
  const idOf = (token: string) => model.vocab.get(token) ?? addedTokens.find(({ content }) => content === token)?.id;
  readDecoder(file.decoder);
  return createBpeTokenizer({
    ...model, addedTokens,
    normalizer: readNormalizer(file.normalizer),
    preTokenizer: readPreTokenizer(file.pre_tokenizer),
    frame: readFrame(file.post_processor, idOf),
    truncation: readTruncation(file.truncation),
  });
}

function readModel(value: unknown): Pick<BpeDefinition, 'vocab' | 'merges' | 'unkToken' | 'fuseUnk'> {
  const { type = 'BPE' } = record(value, 'model');
  if (type !== 'BPE') throw wrong('model.type', '"BPE"', type, 'other models are not supported');
  const model = fields(value, 'model', ['type', 'vocab', 'merges', 'unk_token', 'fuse_unk', 'dropout', 'continuing_subword_prefix', 'end_of_word_suffix']);
  if (model.dropout !== undefined && model.dropout !== null && model.dropout !== 0) throw wrong('model.dropout', 'null', model.dropout, 'random encodings are not supported; set it to null');
  for (const name of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    if (model[name] !== undefined && model[name] !== null && model[name] !== '') throw wrong(`model.${name}`, 'null', model[name], 'it is not supported');
  }
  const vocab = readVocab(model.vocab);
  const unkToken = model.unk_token === undefined || model.unk_token === null ? null : text(model.unk_token, 'model.unk_token');
  if (unkToken !== null && !vocab.has(unkToken)) throw wrong('model.unk_token', 'a token of model.vocab', unkToken, 'add it to the vocabulary');
  const merges = list(model.merges, 'model.merges').map((merge, rank) => readMerge(merge, `model.merges[${rank}]`, vocab, unkToken));
  return { vocab, merges, unkToken, fuseUnk: model.fuse_unk === undefined ? false : flag(model.fuse_unk, 'model.fuse_unk') };
}

function readVocab(value: unknown): ReadonlyMap<string, number> {
  const vocab = new Map<string, number>();
  const object = record(value, 'model.vocab');
  for (const token of atMost(Object.keys(object), 'model.vocab', MAX_ENTRIES)) {
    const id = object[token];
    if (token === '') throw wrong('model.vocab', 'tokens of at least one letter', token, 'remove the empty token');
    vocab.set(token, readId(id, `model.vocab[${show(token)}]`));
  }
  return vocab;
}

function readMerge(value: unknown, path: string, vocab: ReadonlyMap<string, number>, unkToken: string | null): readonly [string, string] {
  const parts = typeof value === 'string' ? value.split(' ') : list(value, path).map((part) => text(part, path));
  if (parts.length !== 2) throw wrong(path, 'two tokens, as "A C" or ["A", "C"]', value, 'write one pair a merge');
  const [left, right] = parts;
  for (const token of [left, right, left + right]) {
    if (!vocab.has(token)) throw wrong(path, 'tokens of model.vocab', token, 'the merges belong to another vocabulary');
  }
  if (left === unkToken || right === unkToken) throw wrong(path, 'tokens other than unk_token', unkToken, 'merges with the unknown token are not supported');
  return [left, right];
}

function readAddedToken(value: unknown, path: string): AddedToken {
  const token = fields(value, path, ['id', 'content', 'special', 'normalized', 'lstrip', 'rstrip']);
  const content = filled(token.content, `${path}.content`);
  const option = (name: string, otherwise: boolean) => (token[name] === undefined ? otherwise : flag(token[name], `${path}.${name}`));
  const special = option('special', false);
  return { id: readId(token.id, `${path}.id`), content, special, normalized: option('normalized', !special), lstrip: option('lstrip', false), rstrip: option('rstrip', false) };
}

function checkIds(vocab: ReadonlyMap<string, number>, addedTokens: readonly AddedToken[]): void {
  const owner = new Map<number, string>();
  const all = [...vocab, ...addedTokens.map(({ content, id }) => [content, id] as const)];
  for (const [token, id] of all) {
    const other = owner.get(id);
    if (other !== undefined && other !== token) throw wrong(`the id of ${show(token)}`, 'an id of its own', id, `it belongs to ${show(other)} as well`);
    if (vocab.has(token) && vocab.get(token) !== id) throw wrong(`the id of added token ${show(token)}`, `${vocab.get(token)} as in model.vocab`, id, 'use one id');
    owner.set(id, token);
  }
  if (new Set(addedTokens.map(({ content }) => content)).size < addedTokens.length) throw wrong('added_tokens', 'every content once', addedTokens, 'remove the repeated token');
  // Hugging Face's Rust library numbers tokens outside the vocabulary itself and does not ask the file; its JavaScript library takes the file's ids.
  let highest = -1;
  for (const [i, { content, id }] of addedTokens.entries()) {
    const next = highest < vocab.size ? vocab.size : highest + 1;
    if (!vocab.has(content) && id !== next) throw wrong(`added_tokens[${i}].id`, `${next}, the id that Hugging Face's Rust library gives to ${show(content)} whatever the file says`, id, 'write that id, or put the token into model.vocab');
    highest = Math.max(highest, id);
  }
}

function readNormalizer(value: unknown): Normalizer {
  if (value === undefined || value === null) return null;
  const { type } = fields(value, 'normalizer');
  if (type !== 'Sequence') return readStep(value, 'normalizer');
  return list(fields(value, 'normalizer', ['type', 'normalizers']).normalizers, 'normalizer.normalizers', MAX_STEPS).map((step, i) => readStep(step, `normalizer.normalizers[${i}]`));
}

function readStep(value: unknown, path: string): NormalizerStep {
  const { type } = fields(value, path);
  if (type === 'Lowercase' || type === 'Uppercase') {
    fields(value, path, ['type']);
    return type;
  }
  if (type === 'Strip') {
    const strip = fields(value, path, ['type', 'strip_left', 'strip_right']);
    return { strip: { left: flag(strip.strip_left, `${path}.strip_left`), right: flag(strip.strip_right, `${path}.strip_right`) } };
  }
  if (type !== 'Replace') throw wrong(`${path}.type`, '"Lowercase", "Uppercase", "Strip", "Replace", a "Sequence" of them or no normalizer', type, 'other normalizers are not supported');
  const step = fields(value, path, ['type', 'pattern', 'content']), content = text(step.content, `${path}.content`), pattern = fields(step.pattern, `${path}.pattern`, ['String', 'Regex']);
  if (content.length !== 1) throw wrong(`${path}.content`, 'one letter', content, 'other replacements are not supported');
  if (pattern.Regex === undefined) {
    const replaced = filled(pattern.String, `${path}.pattern.String`);
    if (/[\ud800-\udfff]/.test(replaced)) throw wrong(`${path}.pattern.String`, 'letters up to U+FFFF', replaced, 'others are not supported');
    return { replace: replaced, content };
  }
  const repeated = /^([A-Za-z])\{([1-9]\d{0,4}),\}$/.exec(text(pattern.Regex, `${path}.pattern.Regex`));
  if (!repeated) throw wrong(`${path}.pattern.Regex`, 'a letter and how often at least, such as N{10,}', pattern.Regex, 'other patterns are not supported');
  return { replace: { letter: repeated[1], atLeast: Number(repeated[2]) }, content };
}

function readPreTokenizer(value: unknown): PreTokenizer {
  if (value === undefined || value === null) return null;
  const { type } = fields(value, 'pre_tokenizer');
  if (type === 'Whitespace') {
    fields(value, 'pre_tokenizer', ['type']);
    return type;
  }
  if (type !== 'Split') throw wrong('pre_tokenizer.type', '"Whitespace", "Split" or no pre_tokenizer', type, 'other pre-tokenizers are not supported');
  const split = fields(value, 'pre_tokenizer', ['type', 'pattern', 'behavior']), pattern = fields(split.pattern, 'pre_tokenizer.pattern', ['String']);
  if (split.behavior !== 'Isolated') throw wrong('pre_tokenizer.behavior', '"Isolated"', split.behavior, 'other ways to split are not supported');
  return { isolate: filled(pattern.String, 'pre_tokenizer.pattern.String') };
}

function filled(value: unknown, path: string): string {
  const content = text(value, path);
  if (content === '' || content.length > MAX_PATTERN) throw wrong(path, `1 to ${MAX_PATTERN} letters`, content, 'correct the file');
  return content;
}

/** Our decode joins the tokens of DNA without spaces; these decoders would do the same or add spaces. `BPE` is an old name. */
function readDecoder(value: unknown): void {
  if (value === undefined || value === null) return;
  const { type } = fields(value, 'decoder');
  if (type !== 'BPEDecoder' && type !== 'BPE' && type !== 'Fuse') throw wrong('decoder.type', '"BPEDecoder", "Fuse" or no decoder', type, 'other decoders are not supported');
}

function readFrame(value: unknown, idOf: (token: string) => number | undefined): Frame {
  if (value === undefined || value === null) return bareFrame;
  const { type } = fields(value, 'post_processor');
  if (type === 'BertProcessing') {
    const bert = fields(value, 'post_processor', ['type', 'sep', 'cls']);
    return bertFrame(readTokenAndId(bert.cls, 'post_processor.cls', idOf), readTokenAndId(bert.sep, 'post_processor.sep', idOf));
  }
  if (type !== 'TemplateProcessing') throw wrong('post_processor.type', '"TemplateProcessing", "BertProcessing" or no post_processor', type, 'other post-processors are not supported');
  const template = fields(value, 'post_processor', ['type', 'single', 'pair', 'special_tokens']);
  const specials = record(template.special_tokens ?? {}, 'post_processor.special_tokens');
  return {
    single: readTemplate(template.single, 'post_processor.single', specials, ['A'], idOf),
    pair: readTemplate(template.pair, 'post_processor.pair', specials, ['A', 'B'], idOf),
  };
}

function readTruncation(value: unknown): Truncation | undefined {
  if (value === undefined || value === null) return undefined;
  const truncation = fields(value, 'truncation', ['max_length', 'strategy', 'stride', 'direction']), { strategy = 'LongestFirst', stride = 0, direction = 'Right' } = truncation;
  if (strategy !== 'LongestFirst') throw wrong('truncation.strategy', '"LongestFirst"', strategy, 'other strategies are not supported');
  if (stride !== 0) throw wrong('truncation.stride', '0', stride, 'overlapping pieces are not supported');
  if (direction !== 'Right' && direction !== 'Left') throw wrong('truncation.direction', '"Right" or "Left"', direction, 'correct the file');
  return { maxLength: readId(truncation.max_length, 'truncation.max_length'), side: direction === 'Left' ? 'left' : 'right' };
}

function readTokenAndId(value: unknown, path: string, idOf: (token: string) => number | undefined) {
  const [token, id] = list(value, path);
  const found = { token: text(token, path), id: readId(id, path) };
  if (idOf(found.token) !== found.id) throw wrong(path, `the id of ${show(token)} in the vocabulary, ${show(idOf(found.token))}`, id, 'use one id');
  return found;
}

function readTemplate(value: unknown, path: string, specials: Fields, sequences: readonly string[], idOf: (token: string) => number | undefined): FramePiece[] {
  const pieces = list(value, path).map((entry, i): FramePiece => {
    const piece = fields(entry, `${path}[${i}]`, ['SpecialToken', 'Sequence']);
    const body = fields(piece.SpecialToken ?? piece.Sequence, `${path}[${i}]`, ['id', 'type_id']);
    const typeId = readId(body.type_id, `${path}[${i}].type_id`);
    if (piece.SpecialToken === undefined) return { sequence: body.id as 'A' | 'B', typeId };
    const special = text(body.id, `${path}[${i}].id`);
    if (!Object.hasOwn(specials, special)) throw wrong(`${path}[${i}]`, 'a name of special_tokens', special, 'add it there');
    const where = `post_processor.special_tokens[${show(special)}]`, entryOf = fields(specials[special], where, ['id', 'ids', 'tokens']);
    const ids = list(entryOf.ids, `${where}.ids`).map((id) => readId(id, `${where}.ids`));
    list(entryOf.tokens, `${where}.tokens`).forEach((token, k) => {
      if (idOf(text(token, `${where}.tokens`)) !== ids[k]) throw wrong(`${where}.ids`, `the id of ${show(token)} in the vocabulary, ${show(idOf(token as string))}`, ids[k], 'use one id');
    });
    return { special, ids, typeId };
  });
  const used = pieces.flatMap((piece) => ('sequence' in piece ? [piece.sequence] : []));
  if (used.length !== sequences.length || !sequences.every((name) => used.includes(name as 'A'))) throw wrong(path, `each of ${sequences.join(', ')} once`, used.join(', '), 'other templates are not supported');
  return pieces;
}

/** The tokenizer.json of a BPE tokenizer, which Hugging Face's libraries read. */
export function serializeTokenizerJson(tokenizer: BpeTokenizer): string {
  const definition = tokenizer?.definition;
  if (!definition) throw new TypeError(`serializeTokenizerJson: expected a BPE or character tokenizer, got ${show(tokenizer)}; a k-mer tokenizer has no tokenizer.json`);
  const { frame } = definition;
  const specials = new Map([...frame.single, ...frame.pair].flatMap((piece) => ('ids' in piece ? [[piece.special, piece.ids] as const] : [])));
  // As strings "A C", which every version of Hugging Face reads; arrays only where a token holds a space.
  const asText = definition.merges.every(([left, right]) => !left.includes(' ') && !right.includes(' '));
  return JSON.stringify({
    version: '1.0',
    truncation: definition.truncation ? { direction: definition.truncation.side === 'left' ? 'Left' : 'Right', max_length: definition.truncation.maxLength, strategy: 'LongestFirst', stride: 0 } : null,
    padding: null,
    added_tokens: definition.addedTokens.map(({ id, content, special, normalized, lstrip, rstrip }) => ({ id, content, single_word: false, lstrip, rstrip, normalized, special })),
    normalizer: writeNormalizer(definition.normalizer),
    pre_tokenizer: typeof definition.preTokenizer === 'string' ? { type: definition.preTokenizer } : definition.preTokenizer && { type: 'Split', pattern: { String: definition.preTokenizer.isolate }, behavior: 'Isolated', invert: false },
    post_processor: specials.size === 0 ? null : {
      type: 'TemplateProcessing', single: frame.single.map(writePiece), pair: frame.pair.map(writePiece),
      special_tokens: Object.fromEntries([...specials].map(([id, ids]) => [id, { id, ids, tokens: ids.map((each) => tokenizer.idToToken(each)) }])),
    },
    decoder: null,
    model: {
      type: 'BPE', dropout: null, unk_token: definition.unkToken, continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: definition.fuseUnk,
      vocab: Object.fromEntries([...definition.vocab].sort(([, a], [, b]) => a - b)),
      merges: asText ? definition.merges.map((merge) => merge.join(' ')) : definition.merges,
    },
  }, null, 2);
}

const writeNormalizer = (normalizer: Normalizer) => (Array.isArray(normalizer) ? { type: 'Sequence', normalizers: stepsOf(normalizer).map(writeStep) } : normalizer && writeStep(stepsOf(normalizer)[0]));

function writeStep(step: NormalizerStep): object {
  if (typeof step === 'string') return { type: step };
  if ('strip' in step) return { type: 'Strip', strip_left: step.strip.left, strip_right: step.strip.right };
  return { type: 'Replace', pattern: typeof step.replace === 'string' ? { String: step.replace } : { Regex: `${step.replace.letter}{${step.replace.atLeast},}` }, content: step.content };
}

const writePiece = (piece: FramePiece) => ('ids' in piece
  ? { SpecialToken: { id: piece.special, type_id: piece.typeId } }
  : { Sequence: { id: piece.sequence, type_id: piece.typeId } });

// ── reading values ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new FormatError('tokenizer.json', `parseTokenizerJson: expected JSON, got ${(cause as Error).message}; is the file complete?`, 0, { cause });
  }
}

const wrong = (path: string, expected: string, got: unknown, remedy: string) =>
  new FormatError('tokenizer.json', `parseTokenizerJson: expected ${path} to be ${expected}, got ${show(got)}; ${remedy}`);

function record(value: unknown, path: string): Fields {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw wrong(path, 'an object', value, 'is this a tokenizer.json?');
  if (Object.hasOwn(value, '__proto__')) throw wrong(path, 'free of the key "__proto__"', '__proto__', 'remove it');
  return value as Fields;
}

/** An object whose other fields are off: null, false or absent. */
function fields(value: unknown, path: string, known?: readonly string[]): Fields {
  const object = record(value, path);
  for (const name of known ? Object.keys(object) : []) {
    if (!known!.includes(name) && object[name] !== null && object[name] !== false) throw wrong(`${path === 'the file' ? '' : `${path}.`}${name}`, 'absent, null or false', object[name], 'it is not supported');
  }
  return object;
}

function list(value: unknown, path: string, most = MAX_ENTRIES): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(path, 'an array', value, 'is this a tokenizer.json?');
  return Array.from(atMost(value as unknown[], path, most)); // no holes
}

function atMost<T>(values: readonly T[], path: string, most: number): readonly T[] {
  if (values.length > most) throw wrong(path, `at most ${most} entries`, values, 'is this a tokenizer for DNA?');
  return values;
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw wrong(path, 'a string', value, 'correct the file');
  return value;
}

function flag(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw wrong(path, 'true or false', value, 'correct the file');
  return value;
}

function readId(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= MAX_ID) throw wrong(path, `a whole number from 0 to ${MAX_ID - 1}`, value, 'correct the file');
  return value;
}
