import { existsSync, statSync } from 'node:fs';
import { dnaGrinderConfig, dnabert2Config, estimateMemory, genomeOceanConfigs, inspectPretrained, isDecoderConfig, parseConfig, type Inspection, type ModelConfig } from '@genomelm/model';
import { choice, integer, UsageError, type Command } from '../command';
import { textTable } from '../output';
import { sourceOptions } from '../pretrained';
import { readUserFile } from '../userFile';

const published: Readonly<Record<string, ModelConfig>> = {
  dnabert2: dnabert2Config, dnagrinder: dnaGrinderConfig,
  'genomeocean-100m': genomeOceanConfigs['100M'], 'genomeocean-500m': genomeOceanConfigs['500M'], 'genomeocean-4b': genomeOceanConfigs['4B'],
};

export const inspect: Command = {
  name: 'inspect',
  summary: 'Parameters, operations per token, and memory for running and training a model at a given length. Nothing is allocated, and no weights are read.',
  usage: `MODEL [--length N] (a directory, address, hub id, config.json, or ${Object.keys(published).join(', ')})`,
  options: {
    length: { type: 'string', value: 'N', help: 'tokens of a sequence (default 512, or as many as the model takes)' },
    tokens: { type: 'string', value: 'N', help: 'tokens of a batch (default: one sequence)' },
    weights: { type: 'string', value: 'TYPE', help: 'float32 (default), bfloat16 or float16: what pretrain --weights reads in each step' },
    device: { type: 'string', value: 'KIND', help: 'whose plans are counted: wasm (default), webgpu or reference' },
    revision: { type: 'string', value: 'R', help: 'branch, tag or commit on the hub (default main)' },
  },
  async run(context) {
    const { positionals, json, print } = context;
    if (positionals.length !== 1) throw new UsageError(`inspect: expected one model, got ${positionals.length}; see genomelm inspect --help`);
    const [name] = positionals;
    const device = choice(context, 'device', ['wasm', 'webgpu', 'reference'], 'wasm');
    const weights = choice(context, 'weights', ['float32', 'bfloat16', 'float16'], 'float32');
    const { config, file } = await find(name, () => inspectPretrained(name, sourceOptions(context)));
    const length = integer(context, 'length', Math.min(512, config.maxPositions || 512));
    const tokens = integer(context, 'tokens', length);
    const estimate = estimateMemory(config, tokens, { device, sequenceLength: length, weights });
    const architecture = isDecoderConfig(config) ? 'decoder' : 'encoder';
    const stored = file && { parameters: [...file.tensors.values()].reduce((total, { shape }) => total + shape.reduce((product, axis) => product * axis, 1), 0), tensors: file.tensors.size, dtypes: [...new Set([...file.tensors.values()].map(({ dtype }) => dtype))] };
    if (json) print(`${JSON.stringify({ model: name, architecture, config, length, tokens, device, ...estimate, ...(file ? { stored, missingKeys: file.missingKeys, unexpectedKeys: file.unexpectedKeys, tokenizer: file.tokenizer !== undefined, revision: file.revision } : {}) })}\n`);
    else print(describe(name, config, architecture, estimate, { length, tokens, device }) + (file ? describeFile(file, stored!) : ''));
  },
};

async function find(name: string, open: () => Promise<Inspection>): Promise<{ config: ModelConfig; file?: Inspection }> {
  if (Object.hasOwn(published, name)) return { config: published[name] };
  if (existsSync(name) && statSync(name).isFile()) return { config: readUserFile(name, (contents) => parseConfig(contents.toString('utf8'))) };
  const file = await open();
  return { config: file.config, file };
}

const amount = (bytes: number) => (bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : bytes >= 2 ** 20 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 1024).toFixed(1)} KiB`);

function describe(name: string, config: ModelConfig, architecture: string, estimate: ReturnType<typeof estimateMemory>, { length, tokens, device }: { length: number; tokens: number; device: string }): string {
  const { parameters, flopsPerToken, weights, activations, optimizer, gradients, inferencePeak, trainingPeak, checkpointedPeak } = estimate;
  return `${name}: ${architecture}, ${config.numLayers} layers of ${config.hiddenSize}, ${config.numHeads} heads, ${config.vocabSize} tokens\n\n${textTable([
    ['parameters', parameters.toLocaleString('en')],
    ['operations per token', `${(flopsPerToken / 1e6).toFixed(1)} MFLOP forward, ${((3 * flopsPerToken) / 1e6).toFixed(1)} MFLOP in training`],
    ['weights', amount(weights)],
    ['gradients', amount(gradients)],
    ['optimizer', amount(optimizer)],
    ['activations', `${amount(activations)} forward, of ${tokens} tokens in sequences of ${length} (${device})`],
    ['forward', `${amount(inferencePeak)} at most`],
    ['training', `${amount(trainingPeak)} at most`],
    ['training, layers again', `${amount(checkpointedPeak)} at most`],
  ])}`;
}

const describeFile = ({ missingKeys, unexpectedKeys, tokenizer, revision }: Inspection, stored: { parameters: number; tensors: number; dtypes: readonly string[] }): string => `\n${textTable([
  ['stored', `${stored.parameters.toLocaleString('en')} numbers in ${stored.tensors} tensors, ${stored.dtypes.join(' and ')}`],
  ['tokenizer', tokenizer === undefined ? 'none: give --tokenizer where one is needed' : 'tokenizer.json'],
  ['missing', missingKeys.join(', ') || 'nothing'],
  ['unexpected', unexpectedKeys.join(', ') || 'nothing'],
  ...(revision ? [['revision', revision]] : []),
])}`;
