// Compiles every variant of every shader of packages/kernels on Dawn's Null backend: no driver is needed, nothing is computed.
// A shader's header lists its variants: `// Constants: HAS_BIAS=0,1 BLOCK=16,32` (every combination is compiled) or `// Constants: none`. A generator, *.wgsl.ts, exports them as `variants`.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { create, globals } from 'webgpu';
import { writeCounts } from './counts.cjs';

/** Every combination of the constants in the header, as `[name, value]` pairs; undefined without such a header line. */
function variantsOf(source) {
  const list = /^\/\/ Constants:\s*(.*)$/m.exec(source)?.[1].trim().replace(/\.$/, '');
  if (list === undefined) return undefined;
  if (list === 'none') return [[]];
  let variants = [[]];
  for (const part of list.split(/\s+/)) {
    const [, name, values] = /^([A-Z][A-Z0-9_]*)=(-?[\d.]+(?:,-?[\d.]+)*)$/.exec(part) ?? [];
    if (!name) return undefined;
    variants = values.split(',').flatMap((value) => variants.map((variant) => [...variant, [name, value]]));
  }
  return variants;
}

/** The same prelude as the webgpu device writes before a shader, after its `enable`s; with sums and maxima over lanes, `lanes`, where the shader calls them. */
const preludeOf = (variant, source, lanes) => `alias Element = f32;\n${variant.map(([name, value]) => `const ${name} = ${value};\n`).join('')}${lanes ? `const laneCount = ${/@workgroup_size\((\d+)\)/.exec(source)[1]};\n${lanes}` : ''}`;
const callsLanes = (source) => /\b(?:sumOfLanes|maxOfLanes|pairOfSums)\(/.test(source);
const libraries = ['lanes.wgsl', 'subgroupLanes.wgsl'].map((name) => join('src/devices/webgpu', name));

/** On Metal and D3D12 whoever writes a component of a vector writes all of it (gpuweb/gpuweb#2112): neighbours that write the others of one vec4 undo each other, which Vulkan does not show. */
const componentWrite = /\](?:\[[^\]]*\]|\.[xyzw]+) *[-+*/]?=[^=].*/;

async function problemsOf(device, source, variant, path, library) {
  const [written] = componentWrite.exec(source) ?? [];
  if (written) return [`${path}: error: expected whole vectors to be written to memory, got a component in "${written}"`];
  const [own] = /^(?:enable [^;]*;\n)*/.exec(source), enables = `${library?.includes('subgroup') ? 'enable subgroups;\n' : ''}${own}`, prelude = preludeOf(variant, source, library && readFileSync(library, 'utf8'));
  const shift = prelude.split('\n').length - 1;
  device.pushErrorScope('validation'); // the messages below say more than Dawn's own print to stderr
  const module = device.createShaderModule({ label: path, code: enables + prelude + source.slice(own.length) });
  await device.popErrorScope();
  const { messages } = await module.getCompilationInfo();
  if (messages.length > 0) return messages.map(({ type, lineNum, linePos, message }) => `${path}:${lineNum - shift}:${linePos} ${type}: ${message}`);
  try {
    await device.createComputePipelineAsync({ layout: 'auto', compute: { module } }); // bindings against WebGPU's default limits
    return [];
  } catch (error) {
    // Plans choose their blocks by the device's workgroup memory, so a variant may need more than the 16 KiB that every device has and Null offers.
    return error.message.includes('workgroup storage') ? [] : [`${path}: ${error.message}`];
  }
}

/** The shaders of a file: texts with the constants before them, and a name for messages. */
async function shadersOf(path) {
  if (path.endsWith('.ts')) {
    const [{ text }] = buildSync({ entryPoints: [path], bundle: true, write: false, format: 'esm', platform: 'neutral', logLevel: 'error', loader: { '.wgsl': 'text' } }).outputFiles;
    const { variants } = await import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
    return variants.map(({ name, shader }) => ({ source: shader, variant: [], name }));
  }
  const source = readFileSync(path, 'utf8');
  return variantsOf(source)?.map((variant) => ({ source, variant, name: variant.map((pair) => pair.join('=')).join(' ') || 'no constants' }));
}

Object.assign(globalThis, globals);
const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']); // kept: Dawn does not survive the collection of its instance
const adapter = await gpu.requestAdapter();
const device = await adapter.requestDevice({ requiredFeatures: ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'] });
const counts = { passed: 0, failed: 0 };
for (const path of readdirSync('src', { recursive: true }).filter((name) => /\.wgsl(\.ts)?$/.test(name)).map((name) => join('src', name)).sort()) {
  if (libraries.includes(path)) continue; // compiled with every shader that calls them
  const shaders = await shadersOf(path);
  if (!shaders) console.error(`${path}:1:1 error: expected a header line "// Constants: NAME=0,1 OTHER=16" or "// Constants: none"`);
  counts.failed += shaders ? 0 : 1;
  for (const { source, variant, name } of shaders ?? []) {
    for (const library of callsLanes(source) ? libraries : [undefined]) {
      const problems = await problemsOf(device, source, variant, path, library);
      counts[problems.length ? 'failed' : 'passed']++;
      if (problems.length) console.error(`${problems.join('\n')}\n  with ${name}${library ? ` and ${library}` : ''}`);
    }
  }
}
console.log(`${counts.passed} shader variants compiled, ${counts.failed} failed`);
if (counts.passed === 0) counts.failed++;
writeCounts(counts);
process.exit(counts.failed ? 1 : 0);
