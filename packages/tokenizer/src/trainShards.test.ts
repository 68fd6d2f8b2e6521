import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { dna } from '../test/arbitraries';
import { trainBpe } from './trainBpe';
import { connectTrainingShard, createTrainingShard, serveTrainingShard, trainBpeOverShards, type ProcessChannel } from './trainShards';
import { runs } from '../test/runs';

/** Both ends of a channel that clones what it passes, as between processes. */
function channels(): [parent: ProcessChannel & EventEmitter, child: ProcessChannel & EventEmitter] {
  const parent = new EventEmitter() as ProcessChannel & EventEmitter, child = new EventEmitter() as ProcessChannel & EventEmitter;
  parent.send = (message) => setImmediate(() => child.emit('message', structuredClone(message)));
  child.send = (message) => setImmediate(() => parent.emit('message', structuredClone(message)));
  return [parent, child];
}
const served = (corpus: readonly string[]) => {
  const [parent, child] = channels();
  void serveTrainingShard(child, createTrainingShard(corpus));
  return connectTrainingShard(parent);
};
const corpora = (alphabet: string) => fc.array(fc.array(dna(alphabet, 8).filter((text) => text.trim() !== ''), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });

it.each(['A', 'AC', 'ACGT', 'ACGT N'])('letters %j: over shards, here and behind channels, the merges of all sequences together', async (alphabet) => {
  await fc.assert(fc.asyncProperty(corpora(alphabet), fc.integer({ min: 12, max: 60 }), fc.nat(20), async (shards, vocabSize, done) => {
    const options = { vocabSize }, { merges } = (await trainBpe(shards.flat(), options)).definition;
    expect((await trainBpeOverShards(shards.map((corpus) => createTrainingShard(corpus)), options)).definition.merges).toEqual(merges);
    expect((await trainBpeOverShards(shards.map(served), { ...options, initialMerges: merges.slice(0, done) })).definition.merges).toEqual(merges);
  }), { numRuns: runs(5) });
});

it('says so when the process of a shard ends', async () => {
  const [parent] = channels(), training = trainBpeOverShards([connectTrainingShard(parent)], { vocabSize: 20 });
  parent.emit('exit', null);
  await expect(training).rejects.toThrow('expected the process of a shard to live, got its end with a signal');
});

it('what a shard throws arrives here, and no shards are refused', async () => {
  await expect(trainBpeOverShards([served(['ACGT']), served([' '])], { vocabSize: 20 })).rejects.toThrow('expected a corpus with letters');
  await expect(trainBpeOverShards([], { vocabSize: 20 })).rejects.toThrow('expected at least one shard');
});
