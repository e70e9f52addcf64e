/** `nibble batch`: a model here, servers, runs that are killed, wrong files. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../server/helpers.ts";
import { cli, type Result, Running, nibble as runNibble } from "./helpers.ts";

const nibble = (...args: string[]): Promise<Result> => runNibble(args);
const folder = mkdtempSync(join(tmpdir(), "nibble-batch-"));
const at = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(at(name), "utf8");

function line(i: number): object {
  const [chat, completion] = ["/v1/chat/completions", "/v1/completions"];
  const question = [{ role: "user", content: `How much is ${i} + 4?` }];
  const requests = [
    { url: chat, body: { messages: question, max_tokens: 12 } },
    { url: completion, body: { prompt: `${i} + 4 =`, max_tokens: 6, temperature: 0 } },
    { url: "/v1/embeddings", body: { input: `${i}`, encoding_format: "base64" } },
    { url: "/v1/responses", body: { input: `How much is ${i} + 4?`, max_output_tokens: 8 } },
    { url: chat, body: { messages: [] } }, // an error of its own
  ];
  return { custom_id: `request-${i}`, method: "POST", ...requests[i % requests.length] };
}

function write(name: string, lines: readonly unknown[]): string {
  writeFileSync(at(name), lines.map((one) => `${JSON.stringify(one)}\n`).join(""));
  return at(name);
}

let requests: string;
let alone: string;
let servers: TestServer[];
beforeAll(async () => {
  requests = write(
    "requests.jsonl",
    Array.from({ length: 60 }, (_, i) => line(i)),
  );
  const { code, stdout } = await nibble(
    "batch",
    requests,
    "-o",
    at("alone.jsonl"),
    "-m",
    "crumb",
    "-np",
    "1",
    "--json",
  );
  expect([code, JSON.parse(stdout)]).toEqual([0, { total: 60, completed: 48, failed: 12 }]);
  alone = text("alone.jsonl");
  servers = await Promise.all([startServer(), startServer({ responseStore: 10, apiKeys: ["secret"] })]);
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true });
});

it("results in OpenAI's form, in the order of the requests", () => {
  const results = alone
    .trimEnd()
    .split("\n")
    .map((one) => JSON.parse(one));
  expect(results.map((one) => one.custom_id)).toEqual(Array.from({ length: 60 }, (_, i) => `request-${i}`));
  for (const one of results) {
    expect(Object.keys(one)).toEqual(["id", "custom_id", "response", "error"]);
    expect(one.error).toBeNull();
    expect(Object.keys(one.response)).toEqual(["status_code", "request_id", "body"]);
  }
  expect(results[0].response.body.choices[0].message.role).toBe("assistant");
  expect(results[4].response).toMatchObject({ status_code: 400, body: { error: { param: "messages" } } });
});

describe("the same bytes", () => {
  it("many at once", async () => {
    expect((await nibble("batch", requests, "-o", at("many.jsonl"), "-np", "16")).code).toBe(0);
    expect(text("many.jsonl")).toBe(alone);
  });

  it("from servers, in either form of the flag", async () => {
    const [a, b] = servers.map(({ url }) => url) as [string, string];
    for (const urls of [["--url", a, "--url", `${b}/v1/`], ["--url", a, b], [`--url=${b}`]]) {
      const { code } = await nibble(
        "batch",
        requests,
        "-o",
        at("servers.jsonl"),
        ...urls,
        "--api-key",
        "secret",
        "--force",
      );
      expect(code).toBe(0);
      expect(text("servers.jsonl")).toBe(alone);
    }
  });

  it("of a run that is killed again and again", async () => {
    const out = at("killed.jsonl");
    const written = () => (existsSync(out) ? text("killed.jsonl").split("\n").length - 1 : 0);
    const codes: (number | null)[] = [];
    for (const lines of [0, 1, 9, 25, 44, 61]) {
      const run = new Running(process.execPath, [cli, "batch", requests, "-o", out, "-m", "crumb", "-np", "2"]);
      while (written() < lines && run.child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 1));
      run.child.kill("SIGKILL");
      codes.push(await run.exit);
    }
    // The first one was killed before it wrote a line. None has failed, and the last one came to its end.
    expect([codes[0], codes.at(-1), new Set([...codes, 0])]).toEqual([null, 0, new Set([null, 0])]);
    expect(text("killed.jsonl")).toBe(alone);
    expect(existsSync(`${out}.lock`)).toBe(false);
  });

  it("a line that was cut, and results in another order, are mended; a complete file is left as it is", async () => {
    const lines = alone.trimEnd().split("\n");
    writeFileSync(at("mended.jsonl"), `${lines.slice(30).reverse().join("\n")}\n${lines[0]!.slice(0, 50)}`);
    expect((await nibble("batch", requests, "-o", at("mended.jsonl"))).stderr).toContain("going on after 30 of 60");
    expect(text("mended.jsonl")).toBe(alone);
    const { code, stdout } = await nibble("batch", requests, "-o", at("mended.jsonl"), "--url", "http://127.0.0.1:1");
    expect([code, stdout]).toEqual([0, "48 of 60 requests completed, 12 failed\n"]);
  });
});

describe("refused", () => {
  const run = (...args: string[]) => nibble("batch", ...args);

  it("wrong lines, all before a request is sent", async () => {
    const wrong = write("wrong.jsonl", [line(0), line(0), { ...line(1), method: "GET" }, { ...line(2), url: "/v1/x" }]);
    const { code, stderr } = await run(wrong, "-o", at("x.jsonl"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/line 2: duplicate_custom_id: .*; line 3: invalid_method: .*; line 4: invalid_url: /);
    expect(existsSync(at("x.jsonl"))).toBe(false);
    expect((await run(write("empty.jsonl", []), "-o", at("x.jsonl"))).stderr).toContain("empty_file");
  });

  it("results of other requests, of a request that was changed, and of another model", async () => {
    const other = write("other.jsonl", [line(0)]);
    expect(await run(other, "-o", at("alone.jsonl"))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--force"),
    });
    const changed = write(
      "changed.jsonl",
      [
        { custom_id: "request-1", ...line(2) },
        ...Array.from({ length: 60 }, (_, i) => ({ ...line(i + 1), custom_id: `request-${i}` })),
      ].slice(1),
    );
    expect((await run(changed, "-o", at("alone.jsonl"))).stderr).toContain("belongs to no request");
    const lines = alone.replaceAll(/fp_[0-9a-f]+/g, "fp_other").split("\n");
    writeFileSync(at("model.jsonl"), `${lines[0]}\n`);
    expect((await run(requests, "-o", at("model.jsonl"))).stderr).toContain("different models");
    expect(text("alone.jsonl")).toBe(alone);
  });

  it.each([
    [["r.jsonl"], 2, "-o is required"],
    [["-o", "x"], 2, "REQUESTS"],
    [["r.jsonl", "-o", "x", "--url", "ftp://a"], 2, "--url: expected an address"],
    [["r.jsonl", "-o", "x", "--url", "http://a", "-m", "crumb"], 2, "-m: it cannot be used together with --url"],
    [["r.jsonl", "-o", "x", "http://a"], 2, "requires --url"],
    [["r.jsonl", "-o", "x", "--api-key", "k"], 2, "--api-key: it requires --url"],
    [["r.jsonl", "-o", "x"], 1, "r.jsonl: there is no such file"],
    [["src", "-o", "x"], 1, "src: expected a file of requests"],
    [["r.jsonl", "-o", "no/x"], 1, "its folder no does not exist"],
  ])("%j", async (args, code, message) => {
    expect(await run(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });

  it("the requests as results; no server; a wrong key", async () => {
    expect((await run(requests, "-o", requests)).stderr).toContain("cannot be that of the results");
    const none = await run(requests, "-o", at("none.jsonl"), "--url", "http://127.0.0.1:1", "--wait", "0.5");
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("no server has answered for 0.5 s") });
    const key = await run(requests, "-o", at("none.jsonl"), "--url", servers[1]!.url, "--api-key", "wrong");
    expect(key).toMatchObject({ code: 1, stderr: expect.stringContaining("refuses the API key") });
  });
});
