/**
 * `nibble rm`: deletes a model from the cache.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import { nodeHub } from "../../hosts/node/hub.ts";
import { removeModel } from "../../hub/hub.ts";
import { type Command, defineCommand } from "../command.ts";
import { missing, toggle } from "../flags.ts";
import { jsonFlag } from "../model.ts";
import { printJson, printLines, size } from "../output.ts";
import { remoteModel } from "./pull.ts";

export const rm: Command = defineCommand({
  name: "rm",
  usage: "[MODEL]...",
  positionals: [0, 1000],
  about: "Deletes pulled models. A file that another model needs is kept.",
  flags: { partial: toggle("--partial", "delete what interrupted pulls left"), json: jsonFlag },
  async run({ flags, positionals }) {
    if (positionals.length === 0 && !flags.partial) throw missing("a model", "name it as MODEL, or give --partial");
    const { cache } = await nodeHub();
    const ids = positionals.map((model) => remoteModel(model).id);
    for (const id of ids)
      if (!(await removeModel(id, cache)))
        throw new NibbleError("missing_file", `${id} is not in the cache; nibble ls lists the models that are`);
    const freed = flags.partial ? await cache.prune() : 0;
    if (flags.json) return printJson({ removed: ids, partial: freed });
    if (flags.partial) await printLines(`${size(freed)} of interrupted pulls\n`);
  },
});
