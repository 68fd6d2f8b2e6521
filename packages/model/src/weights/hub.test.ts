import { hubCheckpoint, isHubId } from './hub';

jest.mock('@huggingface/hub', () => { throw new Error('Cannot find module'); });

test('a missing @huggingface/hub is said, with the command that gets it', async () => {
  await expect(hubCheckpoint('us/encoder', {})).rejects.toThrow('loadPretrained: expected the package @huggingface/hub for the id us/encoder, got none; npm install @huggingface/hub');
});

test('an id is an owner and a name, nothing that is a path', () => {
  expect(['zhihan1996/DNABERT-2-117M', 'pGenomeOcean/GenomeOcean-4B', 'a/b.c_d'].every(isHubId)).toBe(true);
  expect(['model', './model', '../a/b', 'a/b/c', '/a/b', 'a/..', 'a//b', 'a/b?x', 'C:\\\\a'].some(isHubId)).toBe(false);
});
