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

/** Bundles the project's worker as `wrangler deploy` would, and gives what runs it: it prints its port as JSON. */
export function workerdCommand(folder: string, flags: readonly string[]): [command: string, args: string[]] {
  wrangler(folder, "deploy", "--dry-run", "--outdir", "bundle");
  const files = readdirSync(join(folder, "bundle")).sort((a, b) => Number(b === "main.js") - Number(a === "main.js"));
  const modules = files.flatMap((file) => {
    const kind = KINDS.find(([ending]) => file.endsWith(ending))?.[1];
    return kind ? [`(name = "${file}", ${kind} = embed "bundle/${file}")`] : [];
  });
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [${modules.join(", ")}],
    compatibilityDate = "2026-11-01",
    compatibilityFlags = [${flags.map((flag) => `"${flag}"`).join(", ")}],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`;
  const path = join(folder, "config.capnp");
  writeFileSync(path, config);
  return [tool("workerd/bin/workerd"), ["serve", path, "--control-fd=1"]];
}
