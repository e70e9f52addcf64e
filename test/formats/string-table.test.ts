import { describe, expect, it } from "vitest";
import { copyUtf8 } from "../../src/base/utf8.ts";
import { readGgufHeader } from "../../src/entries/gguf.ts";
import { GgufMetadata, getStringTable } from "../../src/formats/gguf/packed-metadata.ts";
import { StringTable } from "../../src/formats/string-table.ts";
import { bytesSource } from "../../src/io/memory-source.ts";
import { buildGguf, key } from "./gguf/builder.ts";

const STRINGS = ["", "a", "\u0120the", "\ufeff", "\u20ac", "x\u{1f600}y", ""];

describe("StringTable", () => {
  it("gives the strings back, one or all, also more than one call decodes", () => {
    expect(StringTable.of(STRINGS).toStrings()).toEqual(STRINGS);
    expect(STRINGS.map((_, i) => StringTable.of(STRINGS).at(i))).toEqual(STRINGS);
    const many = Array.from({ length: 10_000 }, (_, i) => `${i}\u{1f600}`.repeat(i % 3));
    expect(StringTable.of(many).toStrings()).toEqual(many);
  });

  it("knows gaps from empty strings", () => {
    const table = StringTable.of(["a", undefined, ""]);
    expect([0, 1, 2, 3].map((i) => table.has(i))).toEqual([true, false, true, false]);
    expect(table.toStrings()).toEqual(["a", "", ""]);
  });

  it("writes a lone surrogate as U+FFFD", () => {
    expect(StringTable.of(["\ud83d", "\ude00"]).toStrings()).toEqual(["\ufffd", "\ufffd"]);
  });
});

describe("GgufMetadata", () => {
  const packed = (): GgufMetadata => {
    const metadata = new GgufMetadata([["first", 1]]);
    metadata.setStrings("strings", StringTable.of(STRINGS));
    metadata.set("last", true);
    return metadata;
  };
  const PLAIN = new Map<string, unknown>([
    ["first", 1],
    ["strings", STRINGS],
    ["last", true],
  ]);

  it.each<[string, (metadata: GgufMetadata) => unknown]>([
    ["get", (metadata) => new Map([...metadata.keys()].map((name) => [name, metadata.get(name)]))],
    ["iteration", (metadata) => new Map([...metadata])],
    ["a copy", (metadata) => new Map(metadata)],
    ["entries", (metadata) => new Map(metadata.entries())],
    ["unpack", (metadata) => structuredClone(metadata.unpack())],
  ])("is a map like any other: %s", (_, read) => {
    expect(read(packed())).toEqual(PLAIN);
  });

  it("gives values and calls back in order", () => {
    expect([...packed().values()]).toEqual([...PLAIN.values()]);
    const seen: unknown[] = [];
    packed().forEach((value, name) => {
      seen.push([name, value]);
    });
    expect(seen).toEqual([...PLAIN]);
  });

  it("gives the bytes, and those of strings that somebody got", () => {
    const metadata = packed();
    expect(metadata.packed("strings")).toBe(getStringTable(metadata, "strings"));
    metadata.get("strings");
    expect(metadata.packed("strings")).toBeUndefined();
    expect(getStringTable(metadata, "strings")!.toStrings()).toEqual(STRINGS);
    expect(getStringTable(metadata, "none")).toBeUndefined();
  });

  it("drops strings that nobody has read", () => {
    const metadata = packed();
    metadata.dropPacked();
    expect([...metadata]).toEqual([
      ["first", 1],
      ["last", true],
    ]);
  });

  it("is a plain map of strings for users of nibble-llm/gguf", async () => {
    const header = await readGgufHeader(bytesSource(buildGguf({ keys: [key.strings("strings", STRINGS)] })));
    expect(structuredClone(header.metadata).get("strings")).toEqual(STRINGS);
  });
});

describe("copyUtf8", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const says = (bytes: Uint8Array): boolean => {
    const target = new Uint8Array(bytes.length + 2);
    const valid = copyUtf8(bytes, 0, bytes.length, { bytes: target, at: 1 });
    if (valid) expect(target.subarray(1, 1 + bytes.length)).toEqual(bytes);
    return valid;
  };
  const expected = (bytes: Uint8Array): boolean => {
    try {
      decoder.decode(bytes);
      return true;
    } catch {
      return false;
    }
  };

  it("agrees with TextDecoder at every border of every byte", () => {
    const lead = [0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef];
    const leads = [...lead, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff];
    const rest = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
    const wrong: number[][] = [];
    const check = (...bytes: number[]): void => {
      if (says(Uint8Array.from(bytes)) !== expected(Uint8Array.from(bytes))) wrong.push(bytes);
    };
    for (const a of leads) {
      check(a);
      for (const b of rest) {
        check(a, b);
        for (const c of rest) {
          check(a, b, c);
          for (const d of rest) check(a, b, c, d);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("reads nothing behind the end", () => {
    const bytes = Uint8Array.of(0xe2, 0x82, 0xac);
    expect(copyUtf8(bytes, 0, 2, { bytes: new Uint8Array(3), at: 0 })).toBe(false);
    expect(copyUtf8(bytes, 0, 3, { bytes: new Uint8Array(3), at: 0 })).toBe(true);
  });
});
