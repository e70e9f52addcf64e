/**
 * `nibble pull`: a model into the cache.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { nodeHub } from "../../hosts/node/hub.ts";
import { parseReference, type Reference } from "../../hub/reference.ts";
import { type Command, defineCommand } from "../command.ts";
import { UsageError } from "../flags.ts";
import { DEFAULT_MODEL, jsonFlag, pullWithProgress } from "../model.ts";
import { print, printJson, size } from "../output.ts";

export const pull: Command = defineCommand({
  name: "pull",
  usage: "MODEL",
  positionals: [1, 1],
  about: `Fetches MODEL: a name of \`nibble ls --all\`, hf:owner/repo[@revision][:quant] (a GGUF, else a safetensors folder) or an
https URL. What an interrupted pull left is used. Every file's SHA-256 is checked where the registry or the hub names it.
NIBBLE_CACHE says where files go, HF_ENDPOINT and HF_TOKEN which hub, and as whom, are asked.`,
  flags: { json: jsonFlag },
  async run({ flags, positionals: [model] }) {
    const reference = remoteModel(model!);
    const { cache, settings } = await nodeHub();
    if (settings.offline) throw new NibbleError("io_error", "expected a network, got NIBBLE_OFFLINE");
    const record = await pullWithProgress(reference, cache, settings);
    if (flags.json) return printJson(record);
    const bytes = record.files.reduce((sum, file) => sum + file.bytes, 0);
    await print(`${record.id}  ${size(bytes)}  ${cache.locate(record.files[0]!.sha256)}\n`);
  },
});

/** @throws UsageError for what is never pulled */
export function remoteModel(model: string): Reference {
  const reference = parseReference(model);
  if (reference) return reference;
  if (model === DEFAULT_MODEL)
    throw new UsageError(
      `expected a model that is fetched, got ${model}, which is inside the package: see nibble inspect`,
    );
  throw new UsageError(`expected a name of nibble ls --all, hf:owner/repo[:quant] or an https URL, got ${model}`);
}
