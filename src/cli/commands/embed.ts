/**
 * `nibble embed`: texts to vectors, and with --query documents by how well they answer it.
 * @module
 */
import type { Model } from "../../engine/model.ts";
import { nodeHost } from "../../hosts/node/host.ts";
import { createLoad } from "../../load/create-load.ts";
import { type Command, defineCommand } from "../command.ts";
import { conflict, missing, number, oneOf, text, toggle } from "../flags.ts";
import { hasTerminal, readText } from "../input.ts";
import { jsonFlag, loading, modelFlag, offlineFlag, runtimeFlags, runtimeOptions } from "../model.ts";
import { printJson, printLines } from "../output.ts";

const COUNT = { min: 1, integer: true };

export const embed: Command = defineCommand({
  name: "embed",
  usage: "[TEXT]...",
  positionals: [0, Infinity],
  about: `Shows the embedding of each TEXT, or of each line of a file or of stdin, as a line of numbers. With --query it
ranks the texts by how well they answer QUERY: by a reranker's scores, else by the product of their embeddings with that
of QUERY, for which the model's own prompts "query" and "document" are used if it has them.
--json prints { "embeddings": [[...], ...] }, or { "results": [{ "index", "score", "text" }, ...] }.`,
  flags: {
    model: modelFlag,
    file: text("-f, --file", "FILE", "a file with a text per line; - is stdin"),
    query: text("-q, --query", "QUERY", "rank the texts by how well they answer it"),
    top: number("--top", "N", COUNT, "show only the N best (with --query)"),
    prompt: text("--prompt-name", "NAME", "put the model's prompt of this name in front of each text"),
    pooling: oneOf(
      "--pooling",
      "NAME",
      ["none", "mean", "cls", "last"] as const,
      "none, mean, cls or last (default: the model's own)",
    ),
    dimensions: number("--dimensions", "N", COUNT, "keep the first N numbers of each embedding"),
    truncate: toggle("--truncate", "cut texts that are too long"),
    ...runtimeFlags,
    offline: offlineFlag,
    json: jsonFlag,
  },
  async run({ flags, positionals }) {
    if (flags.model === undefined) throw missing("-m", "name the model that embeds");
    if (positionals.length > 0 && flags.file !== undefined) throw conflict("TEXT", "-f", "both give the texts");
    const texts = positionals.length > 0 ? positionals : await readLines(flags.file);
    const model = await loading(flags.model, runtimeOptions(flags), (options) =>
      createLoad(nodeHost)(flags.model!, options),
    );
    try {
      if (flags.query === undefined) return await showEmbeddings(model, texts, flags);
      await showRanking(model, texts, { ...flags, query: flags.query });
    } finally {
      model.dispose();
    }
  },
});

async function readLines(file: string | undefined): Promise<string[]> {
  if (file === undefined && (await hasTerminal()))
    throw missing("text", "give texts as arguments, in a file by -f, or on stdin");
  const lines = (await readText(file ?? "-")).split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Texts of one call. */
const GROUP = 2048;

interface EmbedFlags {
  readonly prompt?: string | undefined;
  readonly pooling?: "none" | "mean" | "cls" | "last" | undefined;
  readonly dimensions?: number | undefined;
  readonly truncate?: boolean | undefined;
  readonly json?: boolean | undefined;
}

async function showEmbeddings(model: Model, texts: readonly string[], flags: EmbedFlags): Promise<void> {
  const { prompt: promptName, pooling, dimensions, truncate, json } = flags;
  const vectors: Float32Array[] = [];
  for (let at = 0; at < texts.length; at += GROUP) {
    const group = await model.embed(texts.slice(at, at + GROUP), { promptName, pooling, dimensions, truncate });
    if (json) vectors.push(...group);
    else await printLines(group.map((vector) => `${vector.join(" ")}\n`).join(""));
  }
  if (json) await printJson({ embeddings: vectors.map((vector) => Array.from(vector)) });
}

type RankFlags = EmbedFlags & { readonly query: string; readonly top?: number | undefined };

async function showRanking(model: Model, texts: readonly string[], flags: RankFlags): Promise<void> {
  const ranked = model.info.embedding.rank
    ? await byScores(model, texts, flags)
    : await byProducts(model, texts, flags);
  const results = ranked.slice(0, flags.top).map(({ index, score }) => ({ index, score, text: texts[index]! }));
  if (flags.json) return printJson({ results });
  await printLines(results.map(({ score, text }) => `${score.toFixed(6).padStart(10)}  ${text}\n`).join(""));
}

type Ranked = readonly { readonly index: number; readonly score: number }[];

async function byScores(model: Model, texts: readonly string[], { query, truncate }: RankFlags): Promise<Ranked> {
  return (await model.rerank(query, texts, { truncate })).results;
}

/** The product of embeddings of length 1 is their cosine. */
async function byProducts(model: Model, texts: readonly string[], flags: RankFlags): Promise<Ranked> {
  const { pooling, dimensions, truncate, query } = flags;
  const named = (name: string) => (name in model.info.embedding.prompts ? name : undefined);
  const options = { pooling, dimensions, truncate };
  const [question] = await model.embed([query], { ...options, promptName: named("query") });
  const vectors = await model.embed(texts, { ...options, promptName: flags.prompt ?? named("document") });
  const scores = vectors.map((vector) => vector.reduce((sum, x, i) => sum + x * question![i]!, 0));
  return scores.map((score, index) => ({ index, score })).sort((a, b) => b.score - a.score || a.index - b.index);
}
