// Upstream's numbers for the decoder: the fixtures lie outside of the repository, and a software GPU takes its time.
import { devices, webgpu } from './devices';
import { describeGenomeOcean } from './decoderGolden';
import { shared } from './golden';

const cases = [
  ['genomeocean/a_h64_l3_mha8', ['model.safetensors'], 'as many key heads as heads'],
  ['genomeocean/b_h96_l2_gqa6_2_win16', ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'], 'grouped queries, a window of 16, bfloat16 in two shards'],
] as const;

for (const [name, shards, what] of cases) {
  const folder = shared(name);
  if (folder) describeGenomeOcean(`GenomeOcean, ${what}`, folder, shards, { ...devices, ...webgpu });
  else test.skip(`GenomeOcean, ${what}: no fixtures in ../shared`, () => undefined);
}
