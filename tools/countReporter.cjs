const { writeCounts } = require('./counts.cjs');

/** Counts a jest run for the last line of `npm test`, and names what was skipped. */
module.exports = class CountReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((file) => file.testResults).filter(({ status }) => status === 'pending' || status === 'todo').map(({ fullName }) => fullName);
    writeCounts({ passed: results.numPassedTests, failed: results.numFailedTests + results.numRuntimeErrorTestSuites, skipped });
  }
};
