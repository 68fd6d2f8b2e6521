// A bundler drops what nobody imports only where it can see that nothing happens when it is computed. Our packages say `sideEffects: false`; this says it of every constant of their bundles:
// `const table = makeTable()` becomes `const table = /* @__PURE__ */ (() => (makeTable()))()`. `import { mcc } from '@genomelm/gue'` was 46 kB minified without it (esbuild 0.28).
import MagicString from 'magic-string';
import type { Options } from 'tsup';
import ts from 'typescript';

/** Runs before tsup's tree shaking, on ESM bundles. */
export const pureTopLevel: NonNullable<Options['plugins']>[number] = {
  name: 'pure-top-level',
  renderChunk(code, { path }) {
    if (this.format !== 'esm') return undefined;
    const text = new MagicString(code);
    for (const { start, end } of computedConstants(code)) text.appendLeft(start, '/* @__PURE__ */ (() => (').appendRight(end, '))()');
    return { code: text.toString(), map: text.generateMap({ hires: true, source: path }).toString() };
  },
};

/** Where the values of top-level constants stand that are not plainly without effect: all but literals and functions. */
function computedConstants(code: string): { readonly start: number; readonly end: number }[] {
  const file = ts.createSourceFile('chunk.js', code, ts.ScriptTarget.ES2022, false, ts.ScriptKind.JS);
  const declarations = file.statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) => [...declarationList.declarations]);
  return declarations.flatMap(({ name, initializer }) =>
    (ts.isIdentifier(name) && initializer && isComputed(initializer) ? [{ start: initializer.getStart(file), end: initializer.end }] : []));
}

const isComputed = (node: ts.Node): boolean => {
  if (ts.isFunctionLike(node) || ts.isClassExpression(node)) return false; // they keep the name of their constant
  if (ts.isCallExpression(node) || ts.isNewExpression(node) || ts.isTemplateExpression(node) || ts.isTaggedTemplateExpression(node) || ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) || ts.isSpreadElement(node) || ts.isSpreadAssignment(node)) return true;
  return ts.forEachChild(node, isComputed) ?? false;
};
