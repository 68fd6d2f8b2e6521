// A server with a tiny model, and a client for it.
import { request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWasmDevice } from '@genomelm/kernels';
import { createModel, type CausalModel, type DecoderConfig } from '@genomelm/model';
import { createCharacterTokenizer } from '@genomelm/tokenizer';
import { createModelServer, type RequestEvent, type ServerOptions } from '../src/server/modelServer';
import { createModelService, type ModelService } from '../src/server/modelService';

export const tokenizer = createCharacterTokenizer();
export const config: DecoderConfig = {
  vocabSize: tokenizer.vocabSize, hiddenSize: 16, numLayers: 1, numHeads: 2, numKvHeads: 1, headDim: 8, intermediateSize: 24, ropeTheta: 10_000, rmsNormEps: 1e-6, initializerRange: 0.5, maxPositions: 256,
  tiedHead: false, bosTokenId: 1, eosTokenId: 2,
};
export const limits = { maxBodyBytes: 20_000, maxSequences: 40, maxTokens: 20_000 };

export interface Running {
  readonly model: CausalModel;
  readonly service: ModelService;
  readonly events: RequestEvent[];
  readonly port: number;
  stop(graceMs?: number): Promise<void>;
}

export async function startServer(options: Partial<ServerOptions> = {}): Promise<Running> {
  const device = await createWasmDevice({ threads: 1 });
  const model = createModel(config, { device, seed: 3 });
  const service = createModelService(model, tokenizer, options.limits ?? limits);
  const events: RequestEvent[] = [];
  const server = createModelServer({ service, limits, maxWaiting: 2000, about: { model: 'tiny' }, onRequest: (event) => events.push(event), ...options });
  await new Promise<void>((resolve) => server.server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return {
    model, service, events, port: (server.server.address() as AddressInfo).port,
    async stop(graceMs) {
      await server.close(graceMs === undefined ? {} : { graceMs });
      await device.destroy();
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** @param body - an object goes as JSON; a list of pieces goes in chunks */
export function ask(port: number, path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, path, method, agent: false, headers: { 'Content-Type': 'application/json' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => { text += piece; }).on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text })).on('error', reject);
    });
    sent.on('error', reject);
    if (Array.isArray(body)) for (const piece of body as string[]) sent.write(piece);
    sent.end(body === undefined || Array.isArray(body) ? undefined : typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body));
  });
}

export const json = ({ text }: Answer) => JSON.parse(text) as Record<string, never>;
