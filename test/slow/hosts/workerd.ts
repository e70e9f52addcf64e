/**
 * workerd itself, without the proxies of `wrangler dev`: those do not tell a worker that its client has left.
 * @module
 */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tool } from "./project.ts";
import { wrangler } from "./wrangler.ts";

const KINDS: readonly [ending: string, kind: string][] = [
  [".js", "esModule"],
  [".wasm", "wasm"],
  [".gguf", "data"],
];

export interface WorkerdConfig {
  readonly compatibilityFlags?: readonly string[];
  /** Further services and the worker's bindings, in Cap'n Proto's text. */
  readonly services?: readonly string[];
  readonly bindings?: readonly string[];
  readonly v8Flags?: readonly string[];
}

/**
 * Bundles the project's worker as `wrangler deploy` would, and gives the command that runs it. The command prints its
 * port as JSON.
 */
export function workerdCommand(folder: string, options: WorkerdConfig): [command: string, args: string[]] {
  wrangler(folder, "deploy", "--dry-run", "--outdir", "bundle");
  const { compatibilityFlags = [], services = [], bindings = [], v8Flags = [] } = options;
  const files = readdirSync(join(folder, "bundle")).sort(
    (a, b) => Number(b.endsWith(".js")) - Number(a.endsWith(".js")),
  );
  const modules = files.flatMap((file) => {
    const kind = KINDS.find(([ending]) => file.endsWith(ending))?.[1];
    return kind ? [`(name = "${file}", ${kind} = embed "bundle/${file}")`] : [];
  });
  const texts = (list: readonly string[]): string => list.map((text) => `"${text}"`).join(", ");
  const worker = `(name = "main", worker = (
    modules = [${modules.join(", ")}],
    compatibilityDate = "2026-11-01",
    compatibilityFlags = [${texts(compatibilityFlags)}],
    bindings = [${bindings.join(", ")}],
  ))`;
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${[worker, ...services].join(", ")}],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
  v8Flags = [${texts(v8Flags)}],
);
`;
  const path = join(folder, "config.capnp");
  writeFileSync(path, config);
  return [tool("workerd/bin/workerd"), ["serve", path, "--control-fd=1"]];
}
