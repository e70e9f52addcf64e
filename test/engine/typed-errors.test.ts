/** Every error that leaves the library is a NibbleError or the caller's own, whatever the arguments are. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../src/engine/model.ts";
import type { Session } from "../../src/engine/session/session.ts";
import { readGguf, readGgufHeader } from "../../src/entries/gguf.ts";
import { createLoad, createPlan } from "../../src/load/create-load.ts";
import { createHandler } from "../../src/server/handler.ts";
import { root, testHost } from "../helpers/models.ts";
import { TypedErrors } from "../helpers/typed-errors.ts";

const typed = new TypedErrors();

/** Throws an error of the caller's own wherever it is looked at. */
function hostile(kind: string): unknown {
  const fail = (): never => {
    const error = new Error(`the caller's own: ${kind}`);
    typed.own.add(error);
    throw error;
  };
  return new Proxy({}, { get: fail, ownKeys: fail, has: fail, getOwnPropertyDescriptor: fail });
}
const circular: Record<string, unknown> = { type: "object" };
circular.properties = { self: circular };
const deep = (levels: number): unknown => {
  let value: unknown = {};
  for (let i = 0; i < levels; i++) value = i % 2 ? { properties: value, items: value } : [value];
  return value;
};
const detached = new Uint8Array(8);
structuredClone(detached.buffer, { transfer: [detached.buffer] });

/** Values of every type, those that take no memory and those that call back among them. */
const VALUES: readonly unknown[] = [
  ...[undefined, null, true, 0, -0, -1, 0.5, 1e9, Number.MAX_VALUE, NaN, Infinity, 10n, Symbol("a"), () => 1],
  ...["", "a", "\ud800", "\0", "x".repeat(10_000), new String("boxed"), new Number(1), new Date(NaN), /a/],
  ...[[], [undefined], [null], [[]], [{}], ["a"], [1], [NaN], [Symbol("a")], [1n], new Array(2), new Array(50_000)],
  ...[{}, { length: 3 }, { length: -1 }, { length: 2 ** 53 }, Object.create(null), circular, deep(20_000)],
  ...[{ __proto__: null, toString: 1 }, { toJSON: 1 }, { get a() { return hostile("getter"); } }, new Map(), new Set([1])],
  ...[new Uint8Array(3), new Float32Array([NaN]), new BigInt64Array(1), new DataView(new ArrayBuffer(4)), detached],
  ...[new Uint8Array(new SharedArrayBuffer(8)), new ArrayBuffer(8), new Blob(["a"]), new URL("x:y"), hostile("proxy")],
  ...[AbortSignal.abort("reason"), { aborted: false, addEventListener: 1 }, Promise.resolve(1), class {}],
]; // biome-ignore format: a table
typed.own.add("reason");

let model: Model;
beforeAll(async () => {
  model = typed.watch(await createLoad(testHost)(join(root, "dist/crumb.gguf"), { threads: 1 }), "model");
});
afterAll(() => model.dispose());

/** Calls an action, reads what it gives to its end, and ignores its error, which the wrapper looks at. */
async function attempt(action: () => unknown): Promise<void> {
  try {
    const result = await action();
    if (typeof result === "object" && result !== null && Symbol.asyncIterator in result) {
      let read = 0;
      for await (const _ of result as AsyncIterable<unknown>) if (++read > 3) break;
    }
    // A session, but not a view of the model itself.
    if (result !== null && typeof result === "object" && "fork" in result) (result as unknown as Session).dispose();
  } catch {
    // The wrapper has recorded it, if it should not have come.
  }
}
const escaped = (): string[] => [...new Set(typed.escapes.splice(0).map(({ call, error }) => `${call}: ${error}`))];

/** Each call with good arguments, and its arguments by place, of which one at a time is replaced. */
const request = { max_tokens: 2, temperature: 0 };
const messages = [{ role: "user", content: "a" }];
const CALLS: Readonly<Record<string, [call: (m: Model) => (...args: never[]) => unknown, args: unknown[]]>> = {
  "chat.completions.create": [(m) => m.chat.completions.create, [{ ...request, messages }, {}]],
  "completions.create": [(m) => m.completions.create, [{ ...request, prompt: "a" }, {}]],
  "embeddings.create": [(m) => m.embeddings.create, [{ input: "a" }, {}]],
  generate: [(m) => m.generate, [{ prompt: [1, 2], maxTokens: 2 }]],
  embed: [(m) => m.embed, [["a"], {}]],
  rerank: [(m) => m.rerank, ["a", ["b"], {}]],
  logLikelihoods: [(m) => m.logLikelihoods, [[1], [[2]], {}]],
  tokenize: [(m) => m.tokenize, ["a", {}]],
  detokenize: [(m) => m.detokenize, [[1], {}]],
  tokenBytes: [(m) => m.tokenBytes, [1]],
  applyTemplate: [(m) => m.applyTemplate, [messages, {}]],
  chatPrompt: [(m) => m.chatPrompt, [{ messages }, {}]],
  infillPrompt: [(m) => m.infillPrompt, ["a", "b", {}]],
  session: [(m) => m.session, [{}]],
  restore: [(m) => m.restore, [new Uint8Array(64)]],
  restoreSigned: [(m) => m.restoreSigned, [new Uint8Array(64), new Uint8Array(32)]],
  withCacheSalt: [(m) => m.withCacheSalt, ["a"]],
};

describe("a model's calls", () => {
  it.each(Object.keys(CALLS))("%s: each argument of every type", async (name) => {
    const [find, args] = CALLS[name]!;
    for (const [place] of args.entries())
      for (const value of VALUES) await attempt(() => find(model)(...(args.with(place, value) as never[])));
    expect(escaped()).toEqual([]);
  });

  const FIELDS: Readonly<Record<string, readonly string[]>> = {
    "chat.completions.create": [
      ...["messages", "tools", "tool_choice", "functions", "response_format", "stop", "logit_bias", "samplers", "lora"],
      ...["chat_template_kwargs", "documents", "json_schema", "grammar", "guided_choice", "guided_json", "reasoning"],
      ...["stream", "stream_options", "seed", "n", "max_tokens", "temperature", "signal", "structured_outputs", "user"],
      ...["bad_words", "dry_sequence_breakers", "stop_token_ids", "allowed_token_ids", "metadata", "cache_salt"],
    ],
    "completions.create": ["prompt", "echo", "logprobs", "n_probs", "suffix", "stop", "guided_regex", "best_of"],
    "embeddings.create": ["input", "dimensions", "pooling", "encoding_format", "prompt_name", "lora"],
    generate: ["prompt", "sampling", "stop", "endIds", "grammar", "lora", "signal", "logprobs", "maxTokens", "choice"],
    embed: ["pooling", "normalize", "dimensions", "promptName", "prompt", "truncate", "lora", "signal"],
    applyTemplate: ["tools", "variables", "now", "addGenerationPrompt"],
    logLikelihoods: ["lora", "signal"],
  };
  it.each(Object.keys(FIELDS))(
    "%s: each field of every type, and within lists and objects",
    async (name) => {
      const [find, args] = CALLS[name]!;
      const at = args.findIndex((one) => typeof one === "object" && !Array.isArray(one));
      for (const field of FIELDS[name]!)
        for (const value of VALUES) {
          const forms = [
            value,
            [value],
            { type: "function", function: value },
            { role: "user", content: value },
            [{ role: value }],
          ];
          for (const form of value === VALUES[0] ? [value] : forms)
            await attempt(() => find(model)(...(args.with(at, { ...(args[at] as object), [field]: form }) as never[])));
        }
      expect(escaped()).toEqual([]);
    },
    120_000,
  );

  it("sessions", async () => {
    for (const value of VALUES) {
      const session = model.session();
      await attempt(() => session.forward(value as never));
      await attempt(() => session.forward([1], { logits: value as never }));
      await attempt(() => session.truncate(value as never));
      await attempt(() => session.saveSigned(value as never));
      session.dispose();
      await attempt(() => session.save());
    }
    expect(escaped()).toEqual([]);
  });

  it("an abort gives the caller's own reason, whatever it is", async () => {
    for (const reason of [undefined, null, 0, "own", new TypeError("own"), Symbol("own")]) {
      const controller = new AbortController();
      const stream = model.generate({ prompt: [1, 2, 3], signal: controller.signal });
      await stream.next();
      controller.abort(reason);
      typed.own.add(controller.signal.reason);
      await attempt(() => stream.next());
    }
    expect(escaped()).toEqual([]);
  });
});

describe("entries", () => {
  const load = typed.watch(createLoad(testHost), "load");
  const plan = typed.watch(createPlan(testHost), "plan");

  it("load and plan: sources and options of every type", async () => {
    const source = join(root, "dist/crumb.gguf");
    const options = [
      "name",
      "contextLength",
      "kvType",
      "threads",
      "lora",
      "chatTemplate",
      "spmInfill",
      "signal",
      "draft",
      "wasm",
    ];
    for (const value of VALUES) {
      await attempt(() => load(value as never));
      await attempt(() => plan(source, value as never));
      for (const option of options) await attempt(() => plan(source, { [option]: value }));
    }
    expect(escaped()).toEqual([]);
  }, 120_000);

  it("load: sources that return nonsense, throw, or read short", async () => {
    for (const value of VALUES) {
      await attempt(() => load({ size: 1000, read: async () => value as never }));
      await attempt(() => load({ size: value as never, read: async () => new Uint8Array(8) }));
      await attempt(() => load({ open: async () => value, has: async () => true } as never));
      await attempt(() => load({ open: async () => undefined, has: async () => value } as never));
    }
    expect(escaped()).toEqual([]);
  });

  it("readGguf and readGgufHeader", async () => {
    const gguf = typed.watch({ readGguf, readGgufHeader }, "gguf");
    for (const value of VALUES) {
      await attempt(() => gguf.readGguf(value as never));
      await attempt(() => gguf.readGgufHeader(value as never));
      await attempt(() => gguf.readGgufHeader({ size: 100, read: async () => value as never }));
    }
    expect(escaped()).toEqual([]);
  });

  it("createHandler: models and options of every type; a handler never rejects", async () => {
    const create = typed.watch(createHandler, "createHandler");
    const names = [
      "apiKeys",
      "cors",
      "hosts",
      "slots",
      "library",
      "slotStore",
      "slotKey",
      "defaults",
      "page",
      "reloads",
    ];
    for (const value of VALUES) {
      await attempt(() => create(value as never));
      await attempt(() => create([value] as never));
      for (const name of names) await attempt(() => create(model, { [name]: value }));
    }
    expect(escaped()).toEqual([]);
  });
});
