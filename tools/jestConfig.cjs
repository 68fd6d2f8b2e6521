const path = require('node:path');
const tool = (name) => path.join(__dirname, name);

/** One jest configuration for all packages. Files named *.long.test.ts run only with GENOMELM_LONG=1, as jestLongConfig.cjs sets it. */
module.exports = {
  testEnvironment: tool('gpuEnvironment.cjs'),
  testEnvironmentOptions: { customExportConditions: ['@genomelm/source', 'node', 'node-addons'] },
  testMatch: process.env.GENOMELM_LONG ? ['<rootDir>/{src,test}/**/*.long.test.ts'] : ['<rootDir>/{src,test}/**/*.test.ts'],
  // A test file's globals are looked up through the vm's interceptors: with `Math` handed in, the audits of GUE take 18 s in place of 94.
  sandboxInjectedGlobals: ['Math'],
  testPathIgnorePatterns: ['/node_modules/', ...(process.env.GENOMELM_LONG ? [] : ['\\.long\\.test\\.ts$'])],
  testTimeout: process.env.GENOMELM_LONG ? 600_000 : 120_000, // ends what hangs; a machine with other work takes ten times its usual time
  passWithNoTests: true,
  reporters: ['default', tool('countReporter.cjs')],
  moduleFileExtensions: ['ts', 'js', 'cjs', 'mjs', 'json', 'node', 'wgsl'],
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  transform: {
    '\\.wgsl$': tool('wgslTransform.cjs'),
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } }],
  },
};
