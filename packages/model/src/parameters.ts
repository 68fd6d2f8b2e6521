// Parameters are nested plain objects whose keys, joined by dots, are those of the checkpoint. A model declares their shapes once, in the same nesting.
import { flatten, isTensor, leaves, type Device, type Tensor, type TensorSpec, type Tree } from '@genomelm/kernels';

/** The tree with a shape in the place of every tensor. */
export type SpecsOf<P> = P extends Tensor ? TensorSpec : { [K in keyof P]: SpecsOf<P[K]> };

export const spec = (...shape: number[]): TensorSpec => ({ dtype: 'float32', shape });

type SpecTree = TensorSpec | readonly SpecTree[] | { readonly [name: string]: SpecTree };

const isSpec = (node: SpecTree): node is TensorSpec => 'dtype' in node;

/** Makes parameters from their shapes, in a fixed order. */
export function mapSpecs<P>(specs: SpecsOf<P>, f: (spec: TensorSpec, path: string) => Tensor): P {
  const build = (node: SpecTree, path: string): Tree => {
    if (isSpec(node)) return f(node, path);
    const at = (name: string | number) => (path ? `${path}.${name}` : `${name}`);
    if (Array.isArray(node)) return node.map((child: SpecTree, i) => build(child, at(i)));
    return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, build(child as SpecTree, at(name))]));
  };
  return build(specs as SpecTree, '') as P;
}

/** Every shape with its path. */
export function flattenSpecs<P>(specs: SpecsOf<P>): [path: string, spec: TensorSpec][] {
  const found: [string, TensorSpec][] = [];
  const walk = (node: SpecTree, path: string): void => {
    if (isSpec(node)) found.push([path, node]);
    else for (const [name, child] of Object.entries(node)) walk(child as SpecTree, path ? `${path}.${name}` : name);
  };
  walk(specs as SpecTree, '');
  return found;
}

/** Weights `[outputs, inputs]` of the linear layers inside the transformer's layers, by the paths of these. Adapters are not among them. */
export const linearLayers = (params: Tree): Map<string, Tensor> => new Map(flatten(params).flatMap(([path, leaf]) => {
  const layer = leaf.shape.length === 2 ? /^(.*\.layers?\.\d+\..*)\.weight$/.exec(path)?.[1] : undefined;
  return layer === undefined || /\.lora_[AB]$/.test(layer) ? [] : [[layer, leaf] as const];
}));

export const elements = ({ shape }: TensorSpec): number => shape.reduce((product, axis) => product * axis, 1);

/** Where the parameters live. */
export function deviceOf(params: Tree): Device {
  const [first] = isTensor(params) ? [params] : leaves(params);
  return first.device;
}
