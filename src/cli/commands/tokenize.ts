/**
 * `nibble tokenize`: text to token ids. Reads no weights.
 * @module
 */
import { createTokenizer } from "../../tokenizer/create.ts";
import { type Command, defineCommand } from "../command.ts";
import { text, toggle, UsageError } from "../flags.ts";
import { hasTerminal, readText } from "../input.ts";
import { DEFAULT_MODEL, jsonFlag, modelFlag, offlineFlag, withCheckpoint } from "../model.ts";
import { print, printJson } from "../output.ts";

export const tokenize: Command = defineCommand({
  name: "tokenize",
  usage: "[TEXT]",
  positionals: [0, 1],
  about: `Token ids of TEXT, of a file, or of stdin, exactly as it stands. No BOS is added unless --bos asks for it.
--json: { "ids": [...], "tokens": [...] }`,
  flags: {
    model: modelFlag,
    file: text("-f, --file", "FILE", "a file with the text; - is stdin"),
    noSpecial: toggle("--no-special", "text that looks like a special token stays text"),
    bos: toggle("--bos", "put the model's BOS token first"),
    offline: offlineFlag,
    json: jsonFlag,
  },
  async run({ flags, positionals: [argument] }) {
    if (argument !== undefined && flags.file !== undefined) throw new UsageError("expected TEXT or -f, got both");
    if (argument === undefined && flags.file === undefined && (await hasTerminal()))
      throw new UsageError("expected text (an argument, -f or stdin), got none");
    const input = argument ?? (await readText(flags.file ?? "-"));
    const { ids, tokens } = await withCheckpoint(flags.model ?? DEFAULT_MODEL, async (checkpoint) => {
      const tokenizer = createTokenizer(checkpoint);
      const all = tokenizer.encode(input, { special: !flags.noSpecial, addBos: flags.bos ?? false });
      return { ids: all, tokens: all.map((id) => tokenizer.token(id)) };
    });
    if (flags.json) return printJson({ ids, tokens });
    await print(ids.map((id, i) => `${String(id).padStart(6)}  ${JSON.stringify(tokens[i])}\n`).join(""));
  },
});
