/**
 * `nibble show`: shows where a model comes from, and where it lies.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { nodeHub } from "../../hosts/node/hub.ts";
import { findModel } from "../../hub/hub.ts";
import { sourceOf } from "../../hub/pull.ts";
import type { Reference } from "../../hub/reference.ts";
import { type Command, defineCommand } from "../command.ts";
import { jsonFlag } from "../model.ts";
import { printJson, printLines, size } from "../output.ts";
import { remoteModel } from "./pull.ts";

export const show: Command = defineCommand({
  name: "show",
  usage: "MODEL",
  positionals: [1, 1],
  about: `Shows the source, revision, licence, files, hashes and paths of MODEL, which is a name, hf:owner/repo[:quant] or a
URL as for \`nibble pull\`. \`nibble inspect MODEL\` shows what is in a model file.`,
  flags: { json: jsonFlag },
  async run({ flags, positionals: [model] }) {
    const facts = await factsOf(remoteModel(model!));
    await (flags.json ? printJson(facts.shown) : printLines(describe(facts)));
  },
});

interface FileFacts {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Where it lies in the cache; null if it was not pulled. */
  readonly path: string | null;
}

interface Facts {
  /** The fields of `--json`. */
  readonly shown: {
    readonly name: string;
    readonly title?: string;
    readonly parameters?: number;
    readonly source: string;
    readonly revision: string | null;
    readonly licence: string | null;
    readonly gated: boolean;
    readonly pulled: string | null;
    readonly files: readonly FileFacts[];
  };
  /** Where a token for gated models can be made. */
  readonly tokens: string;
}

/** @throws NibbleError `missing_file` for a model that was not pulled and is not in the registry */
async function factsOf(reference: Reference): Promise<Facts> {
  const { cache, settings } = await nodeHub();
  const record = await findModel(reference, cache);
  const known = reference.kind === "url" ? undefined : reference.known;
  if (!record && !known)
    throw new NibbleError("missing_file", `${reference.id} was not pulled; nibble ls lists the models that were`);
  const files = record?.files ?? (known?.pinned ? [known.pinned] : []);
  const shown = {
    name: reference.id,
    ...(known && { title: known.title, parameters: known.parameters * 1e6 }),
    source: record?.source ?? sourceOf(reference, settings.endpoint),
    revision: record?.revision ?? known?.pinned?.revision ?? null,
    licence: record?.licence ?? known?.licence ?? null,
    gated: known?.gated ?? false,
    pulled: record?.pulled ?? null,
    files: files.map(({ name, bytes, sha256 }) => {
      return { name, bytes, sha256, path: record ? (cache.locate(sha256) ?? null) : null };
    }),
  };
  return { shown, tokens: `${settings.endpoint}/settings/tokens` };
}

function describe({ shown, tokens }: Facts): string {
  const { name, source, gated, pulled, files } = shown;
  const lines = Object.entries(shown)
    .filter(([key, value]) => key !== "files" && value !== null && value !== false)
    .map(([key, value]) => `${key.padEnd(12)}${value}`);
  for (const { name, bytes, sha256, path } of files) {
    lines.push(`file        ${name}, ${size(bytes)}`, `  SHA-256   ${sha256}`);
    if (path !== null) lines.push(`  path      ${path}`);
  }
  if (pulled === null && gated)
    lines.push(`to pull it, accept its licence at ${source} and set HF_TOKEN to a token of ${tokens}`);
  else if (pulled === null) lines.push(`nibble pull ${name} fetches it`);
  return `${lines.join("\n")}\n`;
}
