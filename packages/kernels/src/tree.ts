import { isTensor, type Tensor } from './tensor';

/** A tensor, or lists and plain records of them. Parameters are `type` aliases: an interface has no index signature and does not fit. */
export type Tree = Tensor | readonly Tree[] | { readonly [name: string]: Tree };

/** The tensors in any value, in a fixed order. What is no tensor, list or plain record is ignored. */
export function leaves(value: unknown): Tensor[] {
  const found: Tensor[] = [];
  collect(value, found);
  return found;
}

function collect(value: unknown, found: Tensor[]): void {
  if (isTensor(value)) found.push(value);
  else if (Array.isArray(value)) for (const child of value) collect(child, found);
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) for (const child of Object.values(value)) collect(child, found);
}

/** The same tree with every tensor replaced. `path` joins the keys with dots, as in checkpoints: `encoder.layer.0.mlp.wo.weight`. */
export function mapTree<P extends Tree>(tree: P, f: (leaf: Tensor, path: string) => Tensor, path = ''): P {
  if (isTensor(tree)) return f(tree, path) as P;
  const at = (name: string | number) => (path ? `${path}.${name}` : `${name}`);
  if (Array.isArray(tree)) return tree.map((child: Tree, i) => mapTree(child, f, at(i))) as unknown as P;
  return Object.fromEntries(Object.entries(tree as Record<string, Tree>).map(([name, child]) => [name, mapTree(child, f, at(name))])) as P;
}

/** Every tensor with its path, in the order of `leaves`. */
export function flatten(tree: Tree): [path: string, leaf: Tensor][] {
  const found: [string, Tensor][] = [];
  mapTree(tree, (leaf, path) => (found.push([path, leaf]), leaf));
  return found;
}
