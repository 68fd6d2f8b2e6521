// What benches share: interleaved arms, medians, and programs of their own for time and peak memory.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Seconds that pass. */
export const wallClock = async (run) => {
  const begun = performance.now();
  await run();
  return (performance.now() - begun) / 1000;
};

/** The same with a heap that was collected before: otherwise an arm pays for the garbage of those before it, and memory that is new to the process instead of used again. */
export const collectedClock = async (run) => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  await setTimeout(10); // what other threads free
  return wallClock(run);
};

/** Seconds of processor time, which other programs that run beside stretch less; an arm in another process says its own as `cpuSeconds`. */
export const processorTime = async (run) => {
  const begun = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(begun);
  return run.cpuSeconds ?? (user + system) / 1e6;
};

/** Runs all arms in turn, `repeats` times: what else the machine does then hits them alike. @returns the median seconds of each */
export const interleave = async (arms, repeats, clock = wallClock) => (await interleavedTimes(arms, repeats, clock)).map(median);

/** The same. @returns all seconds of each, for ratios of what ran side by side */
export async function interleavedTimes(arms, repeats, clock = wallClock) {
  const seconds = arms.map(() => []);
  for (let i = -1; i < repeats; i++) { // the first round warms up
    for (const [arm, run] of arms.entries()) {
      const time = await clock(run);
      if (i >= 0) seconds[arm].push(time);
    }
  }
  return seconds;
}

/** Runs a program to its end. @returns seconds and, on Linux, its peak resident memory in MB */
export async function measureProgram(command, args, options = {}) {
  const begun = performance.now(), child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], ...options });
  let megabytes = NaN, output = '';
  child.stdout.on('data', (chunk) => { output += chunk; });
  const look = setInterval(() => {
    try {
      megabytes = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024;
    } catch { /* it has ended, or this is not Linux */ }
  }, 20);
  const status = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject)).finally(() => clearInterval(look));
  if (status !== 0) throw new Error(`bench: expected ${command} to succeed, got exit status ${status}`);
  return { seconds: (performance.now() - begun) / 1000, megabytes, output };
}
