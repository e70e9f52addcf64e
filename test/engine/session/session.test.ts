/** Saved sessions: they continue with the same bits, and other bytes are typed errors. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ErrorCode, NibbleError } from "../../../src/base/errors.ts";
import { createModel } from "../../../src/engine/model.ts";
import { uniform } from "../../../src/engine/sample/random.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import type { LoadOptions } from "../../../src/load/options.ts";
import { fingerprint } from "../../../src/runtime/fingerprint.ts";
import { FakeExecutor, type FakeOptions, isIdle } from "../../helpers/fake-executor.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";
import { openFixture, root, testHost } from "../../helpers/models.ts";

const crumb = (options: LoadOptions = {}) => createLoad(testHost)(join(root, "dist/crumb.gguf"), options);
const ids = (length: number) => Array.from({ length }, (_, i) => 100 + ((i * 131) % 900));
const code = (expected: ErrorCode) => expect.objectContaining({ name: "NibbleError", code: expected });

describe("crumb", () => {
  it("goes on with the same bits, on every build, number of threads and step", async () => {
    const next = ids(10).reverse();
    const model = await crumb({ build: "simd" });
    const saved = new Map<number, { bytes: Uint8Array; logits: Float32Array }>();
    for (const length of [0, 1, 31, 32, 33, 100]) {
      const session = model.session();
      if (length > 0) session.forward(ids(length), { logits: "none" });
      saved.set(length, { bytes: session.save(), logits: session.forward(next, { logits: "all" }) });
      session.dispose();
    }
    model.dispose();
    for (const options of [
      { build: "relaxed", maxBatchTokens: 7, contextLength: 400 },
      { build: "threads", threads: 2, cacheTokens: 2000 },
    ] as LoadOptions[]) {
      const other = await crumb(options);
      for (const [length, { bytes, logits }] of saved) {
        if (options.threads && length !== 33) continue; // slow where others use the cores
        const session = other.restore(bytes);
        expect(session.length).toBe(length);
        expect(session.save()).toEqual(bytes);
        expect(Buffer.from(session.forward(next, { logits: "all" }).buffer).equals(Buffer.from(logits.buffer))).toBe(
          true,
        );
        session.dispose();
      }
      other.dispose();
    }
  });

  it("requests copy what a restored session holds only where its bytes are signed with the right key", async () => {
    const model = await crumb();
    const session = model.session();
    session.forward(ids(100));
    const bytes = session.save();
    const other = await crumb();
    const cached = async () => {
      for await (const event of other.generate({ prompt: [...ids(100), 5, 6], maxTokens: 1 }))
        if (event.type === "finish") return event.usage.prompt_tokens_details.cached_tokens;
      return undefined;
    };
    // Whoever wrote the bytes could have put other keys and values behind these tokens.
    const restored = other.restore(bytes);
    const fork = restored.fork();
    expect(await cached()).toBe(0);
    other.clearPrefixCache();
    restored.dispose();
    fork.dispose();
    expect(await cached()).toBe(0);
    other.clearPrefixCache();
    const key = new Uint8Array(32).fill(1);
    const bytesSigned = await session.saveSigned(key);
    expect(bytesSigned.subarray(0, bytes.length)).toEqual(bytes);
    // Without a look at the signature it is a session like any other.
    other.restore(bytesSigned).dispose();
    expect(await cached()).toBe(0);
    other.clearPrefixCache();
    (await other.restoreSigned(bytesSigned, key)).dispose();
    expect(await cached()).toBe(100);
  });

  it("a forged session changes no answer of others: the kind that issue 16 describes", async () => {
    const model = await crumb();
    const honest = async () => {
      let text = "";
      for await (const event of model.generate({ prompt: [...ids(64), 5], maxTokens: 8, sampling: { temperature: 0 } }))
        if (event.type === "token") text += `${event.id} `;
      return text;
    };
    const before = await honest();
    model.clearPrefixCache();
    // The keys and values of one text under the tokens of another, with the right checksum, in place of a signed session.
    const other = model.session();
    other.forward(ids(64).map((id) => id + 1), { logits: "none" }); // biome-ignore format: one call
    const key = new Uint8Array(32).fill(1);
    const forged = await other.saveSigned(key);
    other.dispose();
    model.clearPrefixCache();
    const words = new Uint32Array(forged.buffer, 0, (forged.length - 32) / 4);
    words.set(ids(64), 16);
    words.set(fingerprint([words.subarray(16)]), 9);
    await expect(model.restoreSigned(forged, key)).rejects.toEqual(code("bad_value"));
    const restored = model.restore(forged);
    expect(await honest()).toBe(before);
    await expect(restored.saveSigned(key)).rejects.toEqual(code("not_supported"));
    await expect(restored.fork().saveSigned(key)).rejects.toEqual(code("not_supported"));
    restored.dispose();
    expect(await honest()).toBe(before);
    model.dispose();
  });

  it("keys: bytes, or WebCrypto's HMAC with SHA-256; each changed byte is seen", async () => {
    const model = await crumb();
    const session = model.session();
    session.forward(ids(3), { logits: "none" });
    const raw = new Uint8Array(40).fill(9);
    const hmac = (hash: string, uses: KeyUsage[]) =>
      crypto.subtle.importKey("raw", raw, { name: "HMAC", hash }, false, uses);
    const bytes = await session.saveSigned(raw);
    const key = await hmac("SHA-256", ["sign", "verify"]);
    expect(await session.saveSigned(key)).toEqual(bytes);
    expect((await model.restoreSigned(bytes, key)).length).toBe(3);
    for (let i = 0; i < bytes.length; i += 7) {
      const changed = bytes.slice();
      changed[i]! ^= 1;
      await expect(model.restoreSigned(changed, key)).rejects.toEqual(code("bad_value"));
    }
    for (const short of [session.save(), bytes.subarray(0, 31), new Uint8Array()])
      await expect(model.restoreSigned(short, key)).rejects.toEqual(code("bad_value"));
    const wrong = [raw.subarray(0, 31), "x".repeat(32), undefined, await hmac("SHA-1", ["sign", "verify"])];
    for (const one of [...wrong, await hmac("SHA-256", ["sign"])])
      await expect(session.saveSigned(one as Uint8Array)).rejects.toEqual(code("invalid_argument"));
    await expect(model.restoreSigned("bytes" as never, key)).rejects.toEqual(code("invalid_argument"));
    model.dispose();
  });

  it("is refused by another model, another type of weights, another cache", async () => {
    const model = await crumb();
    const session = model.session();
    session.forward(ids(40));
    const bytes = session.save();
    await expect(crumb({ kvType: "int8" }).then((other) => other.restore(bytes))).rejects.toEqual(code("bad_value"));
    await expect(crumb({ contextLength: 39 }).then((other) => other.restore(bytes))).rejects.toEqual(
      code("limit_exceeded"),
    );
    const folder = await createLoad(testHost)(join(root, "models/crumb")); // the same model, not quantised
    expect(() => folder.restore(bytes)).toThrow(code("bad_value"));
    const fixture = await openFixture("llama", "gguf");
    await fixture.close();
    const llama = await createLoad(testHost)(join(root, "test/fixtures/architectures/llama/model.gguf"));
    expect(() => llama.restore(bytes)).toThrow(code("bad_value"));
  });
});

describe("bytes that are no session", () => {
  function setUp(options: FakeOptions = {}) {
    const executor = new FakeExecutor({ contextLength: 256, ...options });
    const pages = executor.freePages;
    const model = createModel({ name: "fake", architecture: "test", tokenizer: new FakeTokenizer(), executor });
    return { model, executor, idle: () => isIdle(model, executor, pages) };
  }
  const { model, executor, idle } = setUp();
  const session = model.session();
  session.forward(Array.from({ length: 45 }, (_, i) => i));
  const bytes = session.save();
  session.dispose();
  const changed = (word: number, value: number) => {
    const copy = bytes.slice();
    new DataView(copy.buffer).setUint32(word * 4, value, true);
    return copy;
  };

  it("each kind of wrong bytes has its code, and takes no pages", () => {
    model.clearPrefixCache();
    const cases: [ErrorCode, Uint8Array][] = [
      ["truncated", new Uint8Array(0)],
      ["truncated", bytes.subarray(0, 63)],
      ["bad_magic", new Uint8Array(64)],
      ["bad_magic", changed(0, 0x46554747)],
      ["unsupported_version", changed(1, 1)],
      ["unsupported_version", changed(1, 3)],
      ["bad_value", changed(2, 7)],
      ["bad_value", changed(5, 7)],
      ["bad_value", changed(6, 0)],
      ["bad_value", changed(7, 0)],
      ["limit_exceeded", changed(8, 0xffffffff)],
      ["limit_exceeded", changed(8, 257)],
      ["truncated", changed(8, 46)],
      ["bad_value", changed(9, 1)],
      ["bad_value", changed(16, 1e9)],
      ["bad_value", changed(bytes.length / 4 - 1, 1)],
    ];
    for (const [expected, wrong] of cases) expect(() => model.restore(wrong)).toThrow(code(expected));
    for (const wrong of [undefined, null, 5, "x", [1], new ArrayBuffer(64), new DataView(new ArrayBuffer(64))])
      expect(() => model.restore(wrong as never)).toThrow(code("invalid_argument"));
    expect(idle()).toBe(true);
  });

  it("every cut, every bit flipped, 20,000 mutants: the session as it was or a typed error", () => {
    let counter = 0;
    const below = (n: number) => Math.floor(uniform(3, counter++, 0) * n);
    const mutants: Uint8Array[] = [];
    for (let length = 0; length < bytes.length; length++) mutants.push(bytes.slice(0, length));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const copy = bytes.slice();
      copy[bit >> 3]! ^= 1 << (bit & 7);
      mutants.push(copy);
    }
    for (let i = 0; i < 20_000; i++) {
      const copy = new Uint8Array(bytes.length + (i % 3) * below(9));
      copy.set(bytes);
      for (let edits = 1 + below(4); edits > 0; edits--) copy[below(copy.length)] = pick(0, 1, 127, 255, below(256));
      mutants.push(copy);
    }
    function pick(...choices: number[]): number {
      return choices[below(choices.length)]!;
    }
    let restored = 0;
    const unexpected: unknown[] = [];
    for (const mutant of mutants) {
      try {
        const session = model.restore(mutant);
        // A padding word has changed, or nothing.
        if (Buffer.compare(session.save(), bytes) !== 0) unexpected.push(mutant);
        session.dispose();
        restored++;
      } catch (error) {
        if (!(error instanceof NibbleError)) unexpected.push(error);
      }
    }
    expect(unexpected).toEqual([]);
    expect(restored).toBeLessThan(mutants.length / 2);
    expect(idle()).toBe(true);
  });

  it("a view at an odd offset; no room; afterwards nothing is held", () => {
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const again = model.restore(shifted.subarray(3));
    expect(again.save()).toEqual(bytes);
    again.dispose();
    const small = setUp({ pages: 5 });
    expect(() => small.model.restore(bytes)).toThrow(code("context_full"));
    expect(small.idle()).toBe(true);
    expect(executor.live.size).toBeLessThanOrEqual(1);
  });
});
