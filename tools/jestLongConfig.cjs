// The long tests of a package: jest --config ../../tools/jestLongConfig.cjs --rootDir .
process.env.GENOMELM_LONG = '1';
module.exports = require('./jestConfig.cjs');
