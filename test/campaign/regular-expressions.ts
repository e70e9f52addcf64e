/** The regular expressions of our sources: literals, and calls of RegExp whose pattern is known only at run time. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type AnyNode, parse } from "acorn";
import { transformSync } from "esbuild";

export interface FoundPattern {
  /** Below the root of the repository. */
  readonly file: string;
  /** Undefined where it is computed. */
  readonly pattern: string | undefined;
  readonly flags: string;
}

function visit(node: unknown, see: (node: AnyNode) => void): void {
  if (Array.isArray(node)) for (const one of node) visit(one, see);
  else if (typeof node === "object" && node !== null && !(node instanceof RegExp)) {
    if ("type" in node) see(node as AnyNode);
    for (const value of Object.values(node)) visit(value, see);
  }
}

function patternsOf(file: string, source: string): FoundPattern[] {
  const { code } = transformSync(source, { loader: "ts", target: "es2022" });
  const found: FoundPattern[] = [];
  visit(parse(code, { ecmaVersion: "latest", sourceType: "module" }), (node) => {
    if (node.type === "Literal" && node.regex) found.push({ file, ...node.regex });
    const calls = node.type === "NewExpression" || node.type === "CallExpression";
    if (!calls || node.callee.type !== "Identifier" || node.callee.name !== "RegExp") return;
    const [pattern, flags] = node.arguments.map((one) => (one.type === "Literal" ? String(one.value) : undefined));
    found.push({ file, pattern, flags: flags ?? "" });
  });
  return found;
}

/** Every pattern below a folder of the repository. */
export function patternsBelow(root: string, folder: string): FoundPattern[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .flatMap((name) => patternsOf(join(folder, name), readFileSync(join(root, folder, name), "utf8")));
}
