// Between bases and ids, as generation needs it.
import { isDecoder, type AnyModel } from '../model';
import { reverseComplement } from '../reverseComplement';
import { checkTokenizer, type Encoder } from '../examples';

/** A tokenizer. With `decode` there are bases to count and to give back; `tokenToId` finds the token of N, and `idToToken` ids without one: both are blocked by default. */
export interface GenerationEncoder extends Pick<Encoder, 'vocabSize' | 'specialIds' | 'encode'> {
  decode?(ids: ArrayLike<number>): string;
  tokenToId?(token: string): number | undefined;
  idToToken?(id: number): string | undefined;
}

export interface GenerationVocabulary {
  /** The ids of a prompt as upstream frames it: `config.bosTokenId` in front, no [SEP] behind. @throws RangeError for a letter that the tokenizer does not know */
  promptIds(prompt: string, options?: { readonly reverseComplement?: boolean | undefined; /** For messages. */ readonly name?: string }): Uint32Array;
  /** What is never drawn: ids that the tokenizer does not have, and what is chosen; by default special tokens and N. What stops is not blocked, unless it is chosen. */
  blockedIds(stopIds?: readonly number[], chosen?: ArrayLike<number>): number[];
  /** Bases of each id `[vocabSize]`; undefined where the tokenizer does not decode. */
  readonly basesOf: Int32Array | undefined;
  /** The bases of the tokens that are no special ones; empty where the tokenizer does not decode. */
  textOf(ids: ArrayLike<number>): string;
}

/** What a tokenizer says of a decoder's ids: `engine.submit` knows ids alone. @throws TypeError for an encoder */
export function generationVocabulary(model: AnyModel, encoder: GenerationEncoder): GenerationVocabulary {
  if (!isDecoder(model)) throw new TypeError('generate: expected a decoder, got an encoder');
  checkTokenizer('generate', model.config, encoder);
  const { vocabSize, bosTokenId, eosTokenId } = model.config;
  const special = Object.values(encoder.specialIds);
  const isToken = (id: number): boolean => id < encoder.vocabSize && (!encoder.idToToken || encoder.idToToken(id) !== undefined);
  const textOf = (ids: ArrayLike<number>): string => encoder.decode?.(Array.from(ids).filter((id) => isToken(id) && !special.includes(id))) ?? '';
  const all = Array.from({ length: vocabSize }, (_, id) => id);
  return {
    promptIds(prompt, { reverseComplement: turned = false, name = 'the prompt' } = {}) {
      const ids = encoder.encode(turned ? reverseComplement(prompt) : prompt, { addSpecialTokens: false });
      const unknown = encoder.specialIds.unk === undefined ? -1 : ids.indexOf(encoder.specialIds.unk);
      if (unknown >= 0) throw new RangeError(`generate: expected bases that the tokenizer knows, got an unknown token after ${textOf(ids.subarray(0, unknown)).length} bases of ${name}; write it in upper case, with A, C, G and T alone`);
      const framed = new Uint32Array(1 + ids.length).fill(bosTokenId, 0, 1);
      framed.set(ids, 1);
      return framed;
    },
    blockedIds(stopIds = [eosTokenId], chosen) {
      const byDefault = [...(chosen ? [] : [...special, encoder.tokenToId?.('N')]), ...all.filter((id) => !isToken(id))];
      return [...new Set([...Array.from(chosen ?? []), ...byDefault.filter((id): id is number => id !== undefined && !stopIds.includes(id))])];
    },
    basesOf: encoder.decode && Int32Array.from(all, (id) => textOf([id]).length),
    textOf,
  };
}
