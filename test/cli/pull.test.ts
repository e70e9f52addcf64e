import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { FaultServer, fileOf } from "../hub/fault-server.ts";
import { sha256, temporary } from "../hub/helpers.ts";
import { killAtMoments } from "../hub/kill.ts";
import { cli, pathOf, QUESTION, type Result, Running } from "./helpers.ts";

const crumb = new Uint8Array(readFileSync(pathOf("dist/crumb.gguf")));
let server: FaultServer;
let url: string;
beforeAll(async () => {
  server = await FaultServer.start();
  server.files.set("/crumb.gguf", crumb);
  url = `${server.url}/crumb.gguf`;
});
beforeEach(() => server.reset());
afterAll(() => server.stop());

function start(cache: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const all = { ...process.env, NIBBLE_CACHE: cache, HF_ENDPOINT: server.url, ...env };
  return new Running(process.execPath, [cli, ...args], { env: all });
}
const nibble = (cache: string, ...args: string[]): Promise<Result> => start(cache, args).result();

it("pull, ls, show, run, inspect, verify, rm", async () => {
  const cache = temporary();
  const path = join(cache, "files", sha256(crumb));
  expect(await nibble(cache, "ls")).toEqual({
    code: 0,
    stdout: "",
    stderr: expect.stringContaining("no model was pulled yet"),
  });
  const pulled = await nibble(cache, "pull", url);
  expect(pulled).toEqual({ code: 0, stdout: `${url}  3.60 MB  ${path}\n`, stderr: "" });
  expect((await nibble(cache, "ls")).stdout).toMatch(
    new RegExp(`^name +size +licence +pulled\n${url} {2}3.60 MB {2}licence unknown {2}\\d{4}-\\d\\d-\\d\\d\n$`),
  );
  const shown = JSON.parse((await nibble(cache, "show", url, "--json")).stdout);
  expect(shown).toMatchObject({
    name: url,
    source: url,
    files: [{ name: "crumb.gguf", bytes: crumb.length, sha256: sha256(crumb), path }],
  });
  const answer = await nibble(cache, "run", url, QUESTION, "--offline");
  expect(answer.stdout).toContain("\\boxed{260} km.");
  expect(JSON.parse((await nibble(cache, "inspect", url, "--json")).stdout).architecture).toBe("llama4");
  expect((await nibble(cache, "verify", url)).stdout).toContain(`${sha256(crumb)}  ${path}`);
  expect(await nibble(cache, "rm", url)).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(await nibble(cache, "rm", url)).toMatchObject({
    code: 1,
    stderr: `nibble: ${url} is not in the cache; nibble ls lists the models that are\n`,
  });
  expect((await nibble(cache, "ls", "--json")).stdout).toBe("[]\n");
});

it("run pulls a missing model and says so on stderr; the library pulls it too", async () => {
  const cache = temporary();
  const { code, stdout, stderr } = await nibble(cache, "run", url, QUESTION);
  expect([code, stdout]).toEqual([0, expect.stringContaining("\\boxed{260} km.")]);
  expect(stderr).toMatch(new RegExp(`^nibble: ${url} is not in the cache yet; pulling it\nprompt \\d+ tokens`));
  expect((await nibble(cache, "run", url, QUESTION)).stderr).toMatch(/^prompt/);

  const script = `const { load } = await import(${JSON.stringify(pathOf("dist/index.js"))});
    const model = await load(${JSON.stringify(url)});
    console.log(model.info.name);`;
  const library = new Running(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, NIBBLE_CACHE: temporary() },
  });
  expect(await library.result()).toEqual({ code: 0, stdout: "crumb.gguf\n", stderr: "" });
});

it("show and pull say how to open a gated model; ls and show print JSON", async () => {
  const cache = temporary();
  server.fault = () => ({ status: 401 });
  const gated = await nibble(cache, "run", "mobilellm-r1:140m", "Hi", "--json");
  expect(gated.code).toBe(1);
  const { error } = JSON.parse(gated.stdout);
  expect(error.code).toBe("unauthorized");
  expect(error.message).toBe(
    `facebook/MobileLLM-R1-140M is gated (licence fair-noncommercial-research) and HF_TOKEN is not set: accept its licence at ${server.url}/facebook/MobileLLM-R1-140M, then set HF_TOKEN to a token of ${server.url}/settings/tokens`,
  );
  expect((await nibble(cache, "show", "mobilellm-r1:140m")).stdout).toContain("to pull it, accept its licence at");
  server.reset();
  const record = JSON.parse((await nibble(cache, "pull", url, "--json")).stdout);
  expect(record).toMatchObject({ id: url, files: [{ sha256: sha256(crumb) }] });
  const known = JSON.parse((await nibble(cache, "ls", "--all", "--json")).stdout);
  expect(known.length).toBeGreaterThan(25);
  expect(known[0]).toMatchObject({ name: "crumb", licence: "MIT", pulled: null });
  expect((await nibble(cache, "rm", "--partial")).stdout).toBe("0 bytes of interrupted pulls\n");
});

it("a pull that is killed at any moment leaves a sound cache, and the next pull goes on", async () => {
  const cache = temporary();
  await killAtMoments(server, cache, fileOf(10 * 2 ** 20), { moments: 5, start });
});
