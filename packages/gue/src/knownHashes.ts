import type { Split } from './task';

/** SHA-256 of the distributed files as far as they were seen, uncompressed. */
export const knownHashes: Readonly<Record<string, Readonly<Partial<Record<Split, string>>>>> = {
  emp_H3: {
    dev: 'e6d6f827ff9258dde3fcbc575d6585de819c056d6d747950de53b2e793a1dde6',
    test: '6c0997293f32ceff9084ef956b6389cad42e89072d6a0ce5f48c6b67589799c4',
  },
  emp_H4: {
    dev: 'e1edbbc785cfea4c89bd5e552656b3a1ee48f15dea0fb2319f552a18a27db184',
    test: 'b6fa46b374df05db4572c08d584d8bb15c006d8626bc2d27e6f95042298fb2b8',
  },
  mouse_2: {
    train: '23dbd0ca3b6153ffc9028ab05034abdc61aaf618bfa2d93e86f4bce798a0efde',
    dev: 'b05b11fc0ca80aff8191dc5560a309c35c5e1ca014af138ec2bb640e821a4e04',
    test: '09f08a1428c9e1b8076ad85582b5c302490fa05c86757c40470605cdfe047b50',
  },
  mouse_4: {
    train: '3e1a394455359c4e192aa8bab20f00b136a491a77a59c7d893afdfea6702eb34',
    dev: '4188db6526f245ed2fdf5b0f1be42f9235a98376fdfa8c1443ab51b392240caf',
    test: 'c5f98f28edb7905d8bd6a02466e59f6ad7485ef83b93658badcbf752fe086732',
  },
  prom_300_tata: {
    train: 'd0dd45bad89aee2564b8831d38a393989942d79b673203e7eb50e19ec8e6242e',
    dev: '4de0f8163d964e4004f0a11036d9a9c5ec6fe2ad5953f962acf66150a2f44592',
    test: '30432e9845277559043c2bb3bfed37b9bc7efc15748880f3adeeaddc16b76deb',
  },
  prom_core_tata: {
    train: '6ff19d1296628f1ff30f663f154596aeda27e2c48b8d8c35926029a33c64d3fb',
    dev: 'dcacb3b86726376899ad4023339ccaae04a9150f41c34268b4ab38e447316a70',
    test: '35ba337b4f1f3ca53c5045d51ab6eaedbd382619527a38d4a41f5402015dbad4',
  },
  splice_reconstructed: {
    dev: '77eead8ac4ca6c671edb71b268e011384fcfc6a08f7c7c3df9d9e6a97ec49292',
  },
  tf_0: {
    train: '930080e019fb92961cbd71998839466c2fc4c34da8fc174999a2ed04ef46822f',
    dev: '17ff638046d146102a86b727adc9ddead9f1f1793577a38961e1f3319da7f738',
    test: 'd29934d0df424a91ef70f6a62671d9d1c4661b485d7010983b49c8bcfba6aeab',
  },
  tf_3: {
    train: 'c4191038363919af593d4f68428e00e6320e3a35902575f1c5c0828954e25a88',
    dev: 'b878776f73bd503a371d1d8c0a77058da409ff3f3799901e017f764b07a0d0ef',
    test: '56d8d76fdcf98c8a444b26794099ef26185872371f62a7565f602181dd533903',
  },
};
