// What a shader's text says about itself, and how names in a plan become the words it reads.
import lanes from './lanes.wgsl';
import subgroupLanes from './subgroupLanes.wgsl';
import type { Dispatch } from '../../op';

export interface ShaderFacts {
  /** Of `struct Params`, in order. */
  readonly fields: readonly { readonly name: string; readonly type: 'u32' | 'i32' | 'f32' }[];
  /** Whether Params ends in `arrays: array<u32>`. */
  readonly takesArrays: boolean;
  /** Bindings 1, 2, …: the tensors. Binding 0 is `params`. */
  readonly tensors: readonly { readonly name: string; readonly access: 'read' | 'read_write' }[];
}

/** Reads `struct Params` and the bindings. @throws TypeError where the text does not follow the conventions of docs/guides/add-a-kernel.md. */
export function readShader(op: string, text: string): ShaderFacts {
  const struct = /struct Params\s*\{([^}]*)\}/.exec(text);
  if (!struct) throw new TypeError(`${op}: expected a shader with struct Params, got none`);
  const members = struct[1].split(',').map((member) => member.trim()).filter(Boolean);
  const takesArrays = members.at(-1) === 'arrays: array<u32>';
  const fields = members.slice(0, takesArrays ? -1 : undefined).map((member) => {
    const [, name, type] = /^(\w+)\s*:\s*(u32|i32|f32)$/.exec(member) ?? [];
    if (!name) throw new TypeError(`${op}: expected members of Params to be u32, i32 or f32, or at the end arrays: array<u32>, got "${member}"`);
    return { name, type: type as 'u32' };
  });
  const bindings: { name: string; access: 'read' | 'read_write' }[] = [];
  for (const [, index, access, name] of text.matchAll(/@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>\s*(\w+)/g)) bindings[Number(index)] = { name, access: access as 'read' };
  if (bindings[0]?.name !== 'params' || bindings.includes(undefined!)) throw new TypeError(`${op}: expected bindings 0, 1, … in group 0 with params as the first, got [${Array.from(bindings, (binding) => binding?.name).join(', ')}]`);
  return { fields, takesArrays, tensors: bindings.slice(1) };
}

/** The whole text: `enable`s first, then `const`s without a type (they fit u32, i32, f32 and the sizes of arrays alike), what it calls of lanes.wgsl, then the shader. */
export function withPrelude(op: string, constants: Readonly<Record<string, number>> = {}, shader: string, subgroups = false): string {
  const lines = Object.entries(constants).map(([name, value]) => {
    if (!Number.isFinite(value)) throw new RangeError(`${op}: expected a finite constant ${name}, got ${value}; pass it in params`);
    return `const ${name} = ${value};\n`;
  });
  const [enables] = /^(?:enable [^;]*;\n)*/.exec(shader)!;
  const library = lanesFor(shader, subgroups);
  return `${library && subgroups ? 'enable subgroups;\n' : ''}${enables}alias Element = f32;\n${lines.join('')}${library}${shader.slice(enables.length)}`;
}

/** Sums and maxima over a workgroup, for a shader that calls them: as many lanes as it has. */
function lanesFor(shader: string, subgroups: boolean): string {
  if (!/\b(?:sumOfLanes|maxOfLanes|pairOfSums)\(/.test(shader)) return '';
  return `const laneCount = ${/@workgroup_size\((\d+)\)/.exec(shader)![1]};\n${subgroups ? subgroupLanes : lanes}`;
}

/** Packs the block behind `params`: the fields, then the host arrays. A field takes a number, or the place of the array of its name. */
export function createParamsEncoder(): (op: string, facts: ShaderFacts, dispatch: Dispatch) => Uint32Array {
  let words = new Uint32Array(1024);
  let floats = new Float32Array(words.buffer);
  return (op, { fields, takesArrays }, { params = {}, arrays = {} }) => {
    const entries = Object.entries(arrays);
    const length = fields.length + entries.reduce((sum, [, array]) => sum + array.length, 0) + (takesArrays && !entries.some(([, array]) => array.length) ? 1 : 0);
    if (length > words.length) {
      words = new Uint32Array(2 * length);
      floats = new Float32Array(words.buffer);
    }
    words[length - 1] = 0;
    if (entries.length && !takesArrays) throw new TypeError(`${op}: expected no host arrays, got ${entries.map(([name]) => name).join(', ')}; end struct Params with arrays: array<u32>`);
    const starts: Record<string, number> = {};
    let at = fields.length;
    for (const [name, array] of entries) {
      starts[name] = at - fields.length;
      words.set(new Uint32Array(array.buffer, array.byteOffset, array.length), at);
      at += array.length;
    }
    const given = new Set([...Object.keys(params), ...Object.keys(starts)]);
    fields.forEach(({ name, type }, i) => {
      const value = params[name] ?? starts[name];
      if (value === undefined) throw new TypeError(`${op}: expected params.${name}, which the shader reads, got none; add it to the plan`);
      given.delete(name);
      if (type === 'f32') floats[i] = value;
      else if ((type === 'u32' ? value >>> 0 : value | 0) === value) words[i] = value;
      else throw new RangeError(`${op}: expected params.${name} as ${type}, got ${value}`);
    });
    for (const name of given) throw new TypeError(`${op}: expected only params that the shader reads, got ${name}; add it to struct Params`);
    return words.subarray(0, length);
  };
}
