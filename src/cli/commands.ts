/**
 * The table of commands. The module of a command is loaded when it is called, so that `run` does not read the converter.
 * To add a command, write `commands/NAME.ts` with `defineCommand` and add a row here.
 * @module
 */
import type { Command } from "./command.ts";

interface Entry {
  readonly summary: string;
  load(): Promise<Command>;
}

export const COMMANDS: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ["run", { summary: "answer a prompt, or chat", load: async () => (await import("./commands/run.ts")).run }],
  [
    "serve",
    {
      summary: "answer OpenAI's and Anthropic's clients over HTTP",
      load: async () => (await import("./commands/serve.ts")).serve,
    },
  ],
  ["pull", { summary: "fetch a model by name", load: async () => (await import("./commands/pull.ts")).pull }],
  ["ls", { summary: "list the models that were pulled", load: async () => (await import("./commands/ls.ts")).ls }],
  ["show", { summary: "show where a model comes from", load: async () => (await import("./commands/show.ts")).show }],
  ["rm", { summary: "delete a pulled model", load: async () => (await import("./commands/rm.ts")).rm }],
  [
    "tokenize",
    { summary: "turn text into token ids", load: async () => (await import("./commands/tokenize.ts")).tokenize },
  ],
  [
    "embed",
    {
      summary: "turn texts into vectors, or rank them",
      load: async () => (await import("./commands/embed.ts")).embed,
    },
  ],
  [
    "perplexity",
    {
      summary: "measure how well a model predicts a text",
      load: async () => (await import("./commands/perplexity.ts")).perplexity,
    },
  ],
  [
    "eval",
    { summary: "run benchmarks on a model", load: async () => (await import("./commands/eval.ts")).evalCommand },
  ],
  ["batch", { summary: "answer a file of requests", load: async () => (await import("./commands/batch.ts")).batch }],
  [
    "compare",
    {
      summary: "measure what quantisation costs a model",
      load: async () => (await import("./commands/compare.ts")).compare,
    },
  ],
  ["bench", { summary: "measure tokens per second", load: async () => (await import("./commands/bench.ts")).bench }],
  [
    "inspect",
    {
      summary: "show what is in a model file, and the memory it takes",
      load: async () => (await import("./commands/inspect.ts")).inspect,
    },
  ],
  [
    "convert",
    {
      summary: "write a model as GGUF, in another type",
      load: async () => (await import("./commands/convert.ts")).convert,
    },
  ],
  [
    "imatrix",
    {
      summary: "find out over a text which weights matter",
      load: async () => (await import("./commands/imatrix.ts")).imatrix,
    },
  ],
  [
    "verify",
    {
      summary: "hash and check a model, or compare two",
      load: async () => (await import("./commands/verify.ts")).verify,
    },
  ],
  [
    "split",
    { summary: "write one GGUF as several files", load: async () => (await import("./commands/split.ts")).split },
  ],
  [
    "merge",
    { summary: "write several files as one GGUF", load: async () => (await import("./commands/merge.ts")).merge },
  ],
]);
