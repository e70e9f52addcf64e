/** Importing an entry does nothing: it needs no global of a host, makes none, and runs no code of one. */
import { createContext, runInContext } from "node:vm";
import { expect, it } from "vitest";
import { bundle, IMPORTED } from "./bundle.ts";

const FACES = ["load", "plan", "NibbleError", "registerArchitecture"];
const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  index: FACES,
  browser: [...FACES, "loadInWorker"],
  workerd: FACES,
  tokenizer: ["createTokenizer", "readTokenizer"],
  gguf: ["readGguf", "readGgufHeader", "streamSource", "urlSource"],
  server: ["createHandler", "toNodeListener"],
  "ai-sdk": ["createNibble"],
  batch: ["answerRequest", "readRequests", "resultLine"],
};

it.each(IMPORTED)("$name: in a context that has the language and text codecs, nothing else", async ({ name }) => {
  const script = await bundle(name, false);
  // Every host has these, and they hold no state.
  const context = createContext({ TextDecoder, TextEncoder });
  const globals = (): string[] => [...runInContext("Object.getOwnPropertyNames(globalThis)", context)].sort();
  const before = globals();
  runInContext(script, context);
  expect(globals()).toEqual([...before, "entry"].sort());
  expect([...runInContext("Object.keys(entry)", context)]).toEqual(expect.arrayContaining([...EXPORTS[name]!]));
});
