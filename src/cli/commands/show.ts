/**
 * `nibble show`: where a model comes from, and where it lies.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { nodeHub } from "../../hosts/node/hub.ts";
import { findModel } from "../../hub/hub.ts";
import { sourceOf } from "../../hub/pull.ts";
import { type Command, defineCommand } from "../command.ts";
import { jsonFlag } from "../model.ts";
import { print, printJson, size } from "../output.ts";
import { remoteModel } from "./pull.ts";

export const show: Command = defineCommand({
  name: "show",
  usage: "MODEL",
  positionals: [1, 1],
  about: `Source, revision, licence, files, hashes and paths of MODEL, a name, hf:owner/repo[:quant] or URL as for \`nibble pull\`.
What is in a model file is told by \`nibble inspect MODEL\`.`,
  flags: { json: jsonFlag },
  async run({ flags, positionals: [model] }) {
    const reference = remoteModel(model!);
    const { cache, settings } = await nodeHub();
    const record = await findModel(reference, cache);
    const known = reference.kind === "url" ? undefined : reference.known;
    if (!record && !known)
      throw new NibbleError("missing_file", `expected a model that was pulled, got ${reference.id}`);
    const source = record?.source ?? sourceOf(reference, settings.endpoint);
    const files = record?.files ?? (known?.pinned ? [known.pinned] : []);
    const facts = {
      name: reference.id,
      ...(known && { title: known.title, parameters: known.parameters * 1e6 }),
      source,
      revision: record?.revision ?? known?.pinned?.revision ?? null,
      licence: record?.licence ?? known?.licence ?? null,
      gated: known?.gated ?? false,
      pulled: record?.pulled ?? null,
      files: files.map(({ name, bytes, sha256 }) => ({
        name,
        bytes,
        sha256,
        path: record ? (cache.locate(sha256) ?? null) : null,
      })),
    };
    if (flags.json) return printJson(facts);
    const lines = Object.entries(facts)
      .filter(([key, value]) => key !== "files" && value !== null && value !== false)
      .map(([key, value]) => `${key.padEnd(12)}${value}`);
    for (const { name, bytes, sha256, path } of facts.files)
      lines.push(
        `file        ${name}, ${size(bytes)}`,
        `  SHA-256   ${sha256}`,
        ...(path ? [`  path      ${path}`] : []),
      );
    if (facts.gated && !record)
      lines.push(
        `to pull it, accept its licence at ${source} and set HF_TOKEN to a token of ${settings.endpoint}/settings/tokens`,
      );
    else if (!record) lines.push(`nibble pull ${reference.id} fetches it`);
    await print(`${lines.join("\n")}\n`);
  },
});
