import { parseEmbed } from './requests';
import { readBody, send, type Call, type Shared } from './call';

/** `POST /embed`, as upstream: a vector for each sequence. */
export async function answerEmbed(call: Call, { service, limits, budgets }: Shared): Promise<void> {
  const instances = parseEmbed(await readBody(call, budgets.bytes, limits), limits);
  const sequences = instances.flat();
  const { tokens, truncated } = service.measure(sequences);
  Object.assign(call, { sequences: sequences.length, tokens });
  call.hold(budgets.sequences, sequences.length);
  call.hold(budgets.tokens, tokens);
  const vectors = (await service.embed(sequences, call.signal)).map((vector) => [...vector]);
  send(call.res, 200, { predictions: instances.map(({ length }) => ({ embeddings: vectors.splice(0, length) })), ...(truncated ? { truncated } : {}) });
}
