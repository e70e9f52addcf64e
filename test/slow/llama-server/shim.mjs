#!/usr/bin/env node
/**
 * Stands in for the program llama-server in llama.cpp's own tests: it turns llama-server's command line into that of
 * `nibble serve` and runs it in this process. A flag that neither side of this file names reaches `nibble serve`, which ends with
 * an error that names it.
 *
 * NIBBLE_CLI, NIBBLE_CRUMB, NIBBLE_INFILL and NIBBLE_SMOLLM2 are the files of the command line and of the models.
 */
import { pathToFileURL } from "node:url";

/** The model of the tests with an adapter; the adapter that the tests get is crumb's. */
const ADAPTED = "ggml-org/stories15M_MOE/stories15M_MOE-F16.gguf";
/** The model of the tests of /infill, whose place crumb with tokens for gaps takes. */
const INFILL = "ggml-org/test-model-stories260K-infill";
/** Models whose place crumb or SmolLM2 can take: small ones for text, one for embeddings, and none, as for a router. */
const MODELS = ["", "ggml-org/test-model-stories260K", "ggml-org/models/bert-bge-small/ggml-model-f16.gguf", ADAPTED];
const CRUMB_CONTEXT = 1024;

/** Switches that change no answer here, each with the reason. */
const DROPPED = {
  "--no-jinja": "templates are always rendered as Jinja",
  "--no-slots": "/slots is always served",
  "--no-cache-idle-slots": "conversations share one cache, whose pages are kept until others need them",
  "--backend_sampling": "there is no accelerator that could sample",
  "--verbose": "it concerns the log",
};

const { names, switches } = read(process.argv.slice(2));
const wanted = [take("--hf-repo"), take("--hf-file")].filter(Boolean).join("/");
const length = wanted.startsWith(INFILL) ? Math.min(context(), CRUMB_CONTEXT) : context();
// The tests' own models end no answer within the bounds of the tests.
const args = ["serve", model(), "-c", String(length), "--ignore-eos"];
for (const [name, values] of names) for (const value of values) args.push(name, value);
args.push(...switches.filter((name) => !(name in DROPPED)));
process.argv = [process.argv[0], process.env.NIBBLE_CLI, ...args];
await import(pathToFileURL(process.env.NIBBLE_CLI).href);

/** Splits a command line into flags with values and switches without. */
function read(words) {
  const names = new Map();
  const switches = [];
  for (let i = 0; i < words.length; i++) {
    const next = words[i + 1];
    if (next === undefined || next.startsWith("--") || next === "-fa") switches.push(words[i]);
    else names.set(words[i], [...(names.get(words[i]) ?? []), words[++i]]);
  }
  return { names, switches };
}

function take(name) {
  const value = names.get(name)?.[0];
  names.delete(name);
  return value;
}

/** crumb computes fastest; SmolLM2 is for the tests that ask for a longer context. */
function model() {
  if (wanted.startsWith(INFILL)) return process.env.NIBBLE_INFILL;
  if (MODELS.includes(wanted)) return length <= CRUMB_CONTEXT ? process.env.NIBBLE_CRUMB : process.env.NIBBLE_SMOLLM2;
  console.error(`shim: no model takes the place of ${wanted}`);
  process.exit(64);
}

/** llama-server divides its context among its slots, unless they share one; `nibble serve` takes the context of one answer. */
function context() {
  const all = Number(take("--ctx-size") ?? CRUMB_CONTEXT);
  const slots = Number(names.get("--parallel")?.[0] ?? 1);
  if (wanted === ADAPTED) return Math.min(CRUMB_CONTEXT, all / slots);
  return switches.includes("--kv-unified") ? all : Math.floor(all / slots);
}
