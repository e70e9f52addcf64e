/** Lines of requests, and what makes their results the same whoever answers. */
import { describe, expect, it } from "vitest";
import { identify, stableBody } from "../../src/batch/identity.ts";
import { type Line, readLines } from "../../src/batch/lines.ts";
import { type BatchRequest, RequestReader } from "../../src/batch/request.ts";

async function linesOf(bytes: Uint8Array, size: number): Promise<Line[]> {
  async function* chunks() {
    const buffer = new Uint8Array(size); // the same memory again and again, as some streams do
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      buffer.set(part);
      yield buffer.subarray(0, part.length);
    }
  }
  const lines: Line[] = [];
  for await (const line of readLines(chunks())) lines.push(line);
  return lines;
}

it("lines: any chunks, both ends of lines, characters across chunks, offsets, a last line without an end", async () => {
  const text = '{"a":"Zürich 🏔"}\r\n\n{"b":1}\nrest';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 3, 7, 100]) {
    const lines = await linesOf(bytes, size);
    expect(lines.map((line) => line.text)).toEqual(['{"a":"Zürich 🏔"}', "", '{"b":1}', "rest"]);
    expect(lines.map((line) => line.whole)).toEqual([true, true, true, false]);
    expect(lines.map(({ start, end }) => new TextDecoder().decode(bytes.subarray(start, end))).join("")).toBe(text);
  }
  expect((await linesOf(new Uint8Array([65, 10, 0xff, 10, 66]), 2)).map((line) => line.text)).toEqual([
    "A",
    undefined,
    "B",
  ]);
});

describe("RequestReader", () => {
  const good = { custom_id: "a", method: "POST", url: "/v1/completions", body: { prompt: "x" } };
  const read = (line: unknown, endpoint?: string) =>
    new RequestReader(endpoint).read(typeof line === "string" ? line : JSON.stringify(line), 7);

  it("reads a request", () => {
    expect(read(good)).toEqual({ customId: "a", url: "/v1/completions", body: { prompt: "x" } });
  });

  it.each([
    ["{", "invalid_json_line", null],
    ["[1]", "invalid_json_line", null],
    ["null", "invalid_json_line", null],
    [{ ...good, custom_id: undefined }, "missing_required_parameter", "custom_id"],
    [{ ...good, custom_id: 3 }, "invalid_custom_id", "custom_id"],
    [{ ...good, custom_id: "" }, "invalid_custom_id", "custom_id"],
    [{ ...good, method: undefined }, "missing_required_parameter", "method"],
    [{ ...good, method: "GET" }, "invalid_method", "method"],
    [{ ...good, url: "/v1/images/generations" }, "invalid_url", "url"],
    [{ ...good, url: "http://elsewhere/v1/completions" }, "invalid_url", "url"],
    [{ ...good, url: ["/v1/completions"] }, "invalid_url", "url"],
    [{ ...good, body: "x" }, "invalid_body", "body"],
    [{ ...good, body: [] }, "invalid_body", "body"],
    [{ ...good, body: undefined }, "missing_required_parameter", "body"],
    [{ ...good, body: { stream: true } }, "invalid_body", "body.stream"],
  ])("refuses %j as %s", (line, code, param) => {
    expect(read(line)).toMatchObject({ code, param, line: 7 });
  });

  it("refuses a name that came before, and another URL than the batch's", () => {
    const reader = new RequestReader();
    reader.read(JSON.stringify(good), 1);
    expect(reader.read(JSON.stringify(good), 2)).toMatchObject({ code: "duplicate_custom_id", line: 2 });
    expect(read(good, "/v1/embeddings")).toMatchObject({ code: "url_mismatch", param: "url" });
  });
});

describe("identify", () => {
  const request = (customId: string, body: BatchRequest["body"], url = "/v1/chat/completions") =>
    identify({ customId, url, body });

  it("gives a seed that follows from name and body, only where one is needed", async () => {
    const [a, again, b] = [await request("a", { n: 1 }), await request("a", { n: 1 }), await request("b", { n: 1 })];
    expect(a.sent.seed).toBe(again.sent.seed);
    expect(a.sent.seed).not.toBe(b.sent.seed);
    expect(Number.isInteger(a.sent.seed) && (a.sent.seed as number) >= 0).toBe(true);
    expect((await request("a", { seed: 5 })).sent).toEqual({ seed: 5 });
    expect((await request("a", { temperature: 0 })).sent).toEqual({ temperature: 0 });
    expect((await request("a", { input: "x" }, "/v1/embeddings")).sent).toEqual({ input: "x" });
    expect((await request("a", { input: "x", temperature: 0 }, "/v1/responses")).sent).toMatchObject({ store: false });
  });

  it("takes clocks, random ids and caches out of an answer, and nothing else", async () => {
    const { hash, ...rest } = await request("a", {});
    const call = { id: "call_9", type: "function", function: { name: "f", arguments: "{}" } };
    const answer = (id: string, cached: number) => ({
      id,
      created: cached,
      choices: [{ index: 0, message: { role: "assistant", content: null, tool_calls: [{ ...call, id }] } }],
      usage: {
        prompt_tokens: 3,
        prompt_tokens_details: { cached_tokens: cached },
        completion_tokens_details: { accepted_prediction_tokens: cached },
      },
      timings: { prompt_ms: cached },
      system_fingerprint: "fp",
    });
    const identified = { hash, ...rest };
    expect(stableBody(answer("x", 1), identified)).toEqual(stableBody(answer("y", 2), identified));
    expect(stableBody(answer("x", 1), identified)).toEqual({
      id: `chatcmpl-${hash}`,
      created: 0,
      choices: [
        { index: 0, message: { role: "assistant", content: null, tool_calls: [{ ...call, id: `call_${hash}_0_0` }] } },
      ],
      usage: { prompt_tokens: 3, prompt_tokens_details: { cached_tokens: 0 } },
      system_fingerprint: "fp",
    });
    const error = { error: { message: "m", code: "c" } };
    expect(stableBody(error, identified)).toEqual(error);
  });
});
