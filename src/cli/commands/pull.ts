/**
 * `nibble pull`: fetches a model into the cache.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { nodeHub } from "../../hosts/node/hub.ts";
import { dataSetReference, isDataSet } from "../../hub/data-set.ts";
import { nameHint } from "../../hub/near-names.ts";
import { parseReference, type Reference } from "../../hub/reference.ts";
import { type Command, defineCommand } from "../command.ts";
import { UsageError } from "../flags.ts";
import { DEFAULT_MODEL, jsonFlag, pullWithProgress } from "../model.ts";
import { printJson, printLines, size } from "../output.ts";

export const pull: Command = defineCommand({
  name: "pull",
  usage: "MODEL",
  positionals: [1, 1],
  about: `Fetches MODEL: a name of \`nibble ls --all\`, hf:owner/repo[@revision][:quant] (a GGUF, else a safetensors folder) or an
https URL; or a data set of \`nibble eval\`, hf:datasets/owner/repo:[config/]split. It goes on where an interrupted pull ended. A file's SHA-256 is checked where the registry or the hub names it.
NIBBLE_CACHE is the folder of the files, HF_ENDPOINT the hub to ask, and HF_TOKEN the token for it.`,
  flags: { json: jsonFlag },
  async run({ flags, positionals: [model] }) {
    const reference = remoteModel(model!);
    const { cache, settings } = await nodeHub();
    if (settings.offline) throw new NibbleError("io_error", "NIBBLE_OFFLINE is set, so nothing can be pulled");
    const record = await pullWithProgress(reference, cache, settings);
    if (flags.json) return printJson(record);
    const bytes = record.files.reduce((sum, file) => sum + file.bytes, 0);
    await printLines(`${record.id}  ${size(bytes)}  ${cache.locate(record.files[0]!.sha256)}\n`);
  },
});

/** The reference that a name, an `hf:` name or a URL stands for. @throws UsageError for other text, and for crumb */
export function remoteModel(model: string): Reference {
  const reference = isDataSet(model) ? dataSetReference(model) : parseReference(model);
  if (reference) return reference;
  if (model === DEFAULT_MODEL)
    throw new UsageError(`${model} is inside the package and is never pulled; nibble inspect ${model} shows it`);
  throw new UsageError(
    `MODEL: expected the name of a model, hf:owner/repo[:quant] or an https URL, got ${model}; ${nameHint(model)}`,
  );
}
