/**
 * `nibble tokenize`: turns text into token ids. It reads no weights.
 * @module
 */
import { createTokenizer } from "../../tokenizer/create.ts";
import { type Command, defineCommand } from "../command.ts";
import { conflict, missing, text, toggle } from "../flags.ts";
import { hasTerminal, readText } from "../input.ts";
import { DEFAULT_MODEL, jsonFlag, modelFlag, offlineFlag, withCheckpoint } from "../model.ts";
import { printJson, printLines } from "../output.ts";

export const tokenize: Command = defineCommand({
  name: "tokenize",
  usage: "[TEXT]",
  positionals: [0, 1],
  about: `Shows the token ids of TEXT, of a file, or of stdin, with no change to the text. BOS is added only with --bos.
--json prints { "ids": [...], "tokens": [...] }.`,
  flags: {
    model: modelFlag,
    file: text("-f, --file", "FILE", "a file with the text; - is stdin"),
    noSpecial: toggle("--no-special", "treat text that looks like a special token as text"),
    bos: toggle("--bos", "put the model's BOS token first"),
    offline: offlineFlag,
    json: jsonFlag,
  },
  async run({ flags, positionals: [argument] }) {
    if (argument !== undefined && flags.file !== undefined) throw conflict("TEXT", "-f", "both give the text");
    if (argument === undefined && flags.file === undefined && (await hasTerminal()))
      throw missing("text", "give it as TEXT, in a file by -f, or on stdin");
    const input = argument ?? (await readText(flags.file ?? "-"));
    const { ids, tokens } = await withCheckpoint(flags.model ?? DEFAULT_MODEL, async (checkpoint) => {
      const tokenizer = createTokenizer(checkpoint);
      const all = tokenizer.encode(input, { special: !flags.noSpecial, addBos: flags.bos ?? false });
      return { ids: all, tokens: all.map((id) => tokenizer.token(id)) };
    });
    if (flags.json) return printJson({ ids, tokens });
    await printLines(ids.map((id, i) => `${String(id).padStart(6)}  ${JSON.stringify(tokens[i])}\n`).join(""));
  },
});
