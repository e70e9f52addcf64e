/**
 * `nibble merge`: writes the shards of a GGUF as one file.
 * @module
 */
import { writeFileAtomically } from "../../../weights-tools/atomic-file.ts";
import { merge as mergeShards } from "../../../weights-tools/split.ts";
import { type Command, defineCommand } from "../command.ts";
import { jsonFlag, withCheckpoint } from "../model.ts";
import { note, printJson, size } from "../output.ts";
import { checkOutput, forceFlag } from "../output-file.ts";

export const merge: Command = defineCommand({
  name: "merge",
  usage: "FIRST OUT",
  positionals: [2, 2],
  about: `Writes the split GGUF whose first shard is FIRST as the one file OUT. A file that \`nibble split\` had cut is
restored byte for byte; weights are not decoded.`,
  flags: { force: forceFlag, json: jsonFlag },
  async run({ flags, positionals }) {
    const [first, out] = positionals as [string, string];
    checkOutput(out, flags.force, [first]);
    const [bytes, tensors] = await withCheckpoint(first, async (checkpoint) => [
      await writeFileAtomically(out, (sink) => mergeShards(checkpoint, sink)),
      checkpoint.tensors.size,
    ]);
    if (flags.json) await printJson({ out, bytes, tensors });
    else note(`${out}: ${tensors} tensors, ${size(bytes!)}`);
  },
});
