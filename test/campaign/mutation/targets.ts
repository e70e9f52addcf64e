/** Targets of the part `mutation`: each format with its good files, its mutator, and what is done with the result. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NibbleError } from "../../../src/base/errors.ts";
import type { Model } from "../../../src/engine/model.ts";
import { bytesSource } from "../../../src/io/memory-source.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import { fingerprint } from "../../../src/runtime/fingerprint.ts";
import { fixtureFiles, memoryFiles } from "../../formats/helpers.ts";
import { ggufAdapter, peftFiles, randomAdapter } from "../../helpers/adapters.ts";
import { architectures, openFixture, root, testHost } from "../../helpers/models.ts";
import type { Random } from "../../helpers/random.ts";
import { recorded } from "../../tokenizer/support.ts";
import { converted, fixtureGguf } from "../../weights-tools/helpers.ts";
import type { Input, Target } from "../target.ts";
import { mutateBytes, mutateProtobuf } from "./bytes.ts";
import { OPTIONS } from "./differential.ts";
import { apply, difference, type Edit, smallerEdits } from "./edits.ts";
import { mutateGguf } from "./gguf.ts";
import { mutateJson, mutateLines, mutateSafetensors } from "./json.ts";
import { integerBytes, pick } from "./numbers.ts";
import {
  type Files,
  useAdapter,
  useBatchFile,
  useModelFiles,
  useParquet,
  useSentencePiece,
  useSession,
} from "./readers.ts";

type Mutator = (bytes: Uint8Array, random: Random) => Edit[];

interface Format {
  readonly name: string;
  readonly promise: string;
  /** How many inputs CI runs: about six seconds of them. */
  readonly inputs: number;
  /** Names of the good files. */
  readonly bases: readonly string[];
  /** The bytes of one of them. */
  open(base: string): Promise<Uint8Array>;
  readonly mutate: Mutator;
  use(bytes: Uint8Array<ArrayBuffer>, input: Input): Promise<void>;
}

const SAME_BITS =
  "A file is refused with a NibbleError, or it loads; then simd, relaxed, threads and debug compute the same bits.";
const TYPED = "A file is refused with a NibbleError, or what it holds is used.";

/** The code of a NibbleError, or "works". Any other error is passed on. */
export async function outcomeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "works";
  } catch (error) {
    // A trap in a kernel is never the file's right.
    if (error instanceof NibbleError && error.code !== "poisoned" && error.code !== "internal") return error.code;
    throw error;
  }
}

function targetOf({ name, promise, inputs, bases, open, mutate, use }: Format): Target {
  const good = new Map<string, Promise<Uint8Array>>();
  const opened = (base: string): Promise<Uint8Array> => {
    if (!good.has(base)) good.set(base, open(base));
    return good.get(base)!;
  };
  return {
    part: "mutation",
    name: `mutation/${name}`,
    promise,
    inputs,
    async generate(random) {
      const base = pick(random, bases);
      let bytes = await opened(base);
      const steps: Edit[] = [];
      for (let i = pick(random, [1, 1, 1, 2, 3]); i > 0; i--) {
        const edits = mutate(bytes, random);
        bytes = apply(bytes, edits);
        steps.push(...edits);
      }
      return { base, steps };
    },
    run: async (input) => {
      const bytes = apply(await opened(input.base), input.steps as readonly Edit[]);
      return outcomeOf(() => use(bytes, input));
    },
    smaller: smallerEdits,
  };
}

/** One in eight models runs on two threads, since starting a thread takes longer than all else. */
const threadsOf = ({ steps }: Input): number => (JSON.stringify(steps).length % 8 === 0 ? 2 : 1);

const GGUF_BASES = [
  "llama",
  "lfm2",
  "qwen3_5",
  "mobilellm-r1",
  "llama:q4_0",
  "llama:q8_0",
  "llama:mxfp4",
  "llama:q5_1",
  "bert",
];

async function openGguf(base: string): Promise<Uint8Array> {
  const [model, type] = base.split(":") as [string, string | undefined];
  if (type === undefined) {
    const folder = model === "bert" ? join(root, "test/fixtures/embeddings") : architectures;
    return readFileSync(join(folder, model, "model.gguf"));
  }
  return (await converted(await fixtureGguf(model), { type: type as "q8_0" })).bytes;
}

/** A folder of Hugging Face's in which one file is mutated. */
const folder = fixtureFiles("llama");
const GENERATION = JSON.stringify({ temperature: 0.6, top_p: 0.9, top_k: 40, eos_token_id: [2, 3], bos_token_id: 1 });
const whole: Files = { ...folder, "generation_config.json": Buffer.from(GENERATION) };

function folderFormat(file: string, inputs: number, mutate: Mutator): Format {
  return {
    name: file,
    promise: SAME_BITS,
    inputs,
    bases: ["llama"],
    open: async () => whole[file]!,
    mutate,
    use: (bytes, input) => useModelFiles({ ...whole, [file]: bytes }, threadsOf(input)),
  };
}

const LLAMA = (): Uint8Array => readFileSync(join(architectures, "llama/model.gguf"));

async function testAdapter(rank: number) {
  const base = await openFixture("llama", "gguf");
  await base.close();
  return randomAdapter(base, ["blk.0.attn_q.weight", "blk.1.ffn_down.weight"], rank, 1);
}

async function peftFile(name: string): Promise<Uint8Array> {
  const files = peftFiles(await testAdapter(4));
  const source = await files.open(name);
  return source.read(0, source.size);
}

async function peftWith(name: string, bytes: Uint8Array): Promise<Files> {
  const names = ["adapter_config.json", "adapter_model.safetensors"];
  const entries = await Promise.all(
    names.map(async (one) => [one, one === name ? bytes : await peftFile(one)] as const),
  );
  return Object.fromEntries(entries);
}

function peftFormat(name: string, inputs: number, mutate: Mutator): Format {
  return {
    name: `peft/${name}`,
    promise: TYPED,
    inputs,
    bases: ["llama"],
    open: () => peftFile(name),
    mutate,
    use: async (bytes) => useAdapter(LLAMA(), memoryFiles(await peftWith(name, bytes))),
  };
}

let sessionModel: Promise<Model> | undefined;
const modelOfSessions = (): Promise<Model> =>
  (sessionModel ??= createLoad(testHost)(LLAMA(), { ...OPTIONS, contextLength: 128 }));

/** The words of the header, ids and pages; most of the time with a checksum that fits, as a forger would write it. */
function mutateSession(bytes: Uint8Array, random: Random): Edit[] {
  const changed = apply(bytes, mutateBytes(bytes, random, 64 + 4 * 40));
  if (random.integer(0, 1) === 0 && changed.length >= 64) {
    const at = 4 * random.integer(0, 15);
    changed.set(integerBytes(random, changed.subarray(at, at + 4)), at);
  }
  if (random.integer(0, 3) > 0 && changed.length >= 64 && changed.length % 4 === 0) {
    const words = new Uint32Array(changed.buffer);
    words.set(fingerprint([words.subarray(16)]), 9);
  }
  return [difference(bytes, changed)];
}

const BATCH = [
  {
    custom_id: "a",
    method: "POST",
    url: "/v1/chat/completions",
    body: { messages: [{ role: "user", content: "hi" }] },
  },
  {
    custom_id: "b",
    method: "POST",
    url: "/v1/completions",
    body: { prompt: "\u00e9 \u{1f642}", max_tokens: 3, seed: 7 },
  },
  { custom_id: "c", method: "POST", url: "/v1/embeddings", body: { input: ["x", "y"], dimensions: 8 } },
];
const PARQUET = [
  "arc-snappy",
  "deltas-lz4",
  "duckdb",
  "gsm8k-gzip-v2",
  "mmlu-zstd",
  "run",
  "types-brotli",
  "types-plain",
];
const sentencePiece = () => recorded<{ model: string }[]>("sentencepiece-models");

const FORMATS: readonly Format[] = [
  {
    name: "gguf",
    promise: SAME_BITS,
    inputs: 60,
    bases: GGUF_BASES,
    open: openGguf,
    mutate: mutateGguf,
    use: (bytes, input) => useModelFiles({ "model.gguf": bytes }, threadsOf(input)),
  },
  folderFormat("model.safetensors", 120, mutateSafetensors),
  folderFormat("config.json", 40, mutateJson),
  folderFormat("tokenizer.json", 20, mutateJson),
  folderFormat("tokenizer_config.json", 12, mutateJson),
  folderFormat("generation_config.json", 16, mutateJson),
  {
    name: "tokenizer.model",
    promise: TYPED,
    inputs: 1000,
    bases: sentencePiece().map((_, i) => String(i)),
    open: async (base) => Buffer.from(sentencePiece()[Number(base)]!.model, "base64"),
    mutate: mutateProtobuf,
    use: useSentencePiece,
  },
  {
    name: "lora.gguf",
    promise: TYPED,
    inputs: 200,
    bases: ["1", "4"],
    open: async (rank) => ggufAdapter(await testAdapter(Number(rank)), "llama"),
    mutate: mutateGguf,
    use: async (bytes) => useAdapter(LLAMA(), bytesSource(bytes)),
  },
  peftFormat("adapter_config.json", 60, mutateJson),
  peftFormat("adapter_model.safetensors", 100, mutateSafetensors),
  {
    name: "session",
    promise: `${TYPED} No page of the cache stays in use.`,
    inputs: 4000,
    bases: ["3", "40", "100"],
    async open(length) {
      const session = (await modelOfSessions()).session();
      session.forward(Array.from({ length: Number(length) }, (_, i) => (i * 31 + 7) % 300));
      const bytes = session.save();
      session.dispose();
      return bytes;
    },
    mutate: mutateSession,
    use: async (bytes) => useSession(await modelOfSessions(), bytes),
  },
  {
    name: "batch.jsonl",
    promise: TYPED,
    inputs: 1000,
    bases: ["three"],
    open: async () => Buffer.from(BATCH.map((line) => JSON.stringify(line)).join("\n")),
    mutate: mutateLines,
    use: useBatchFile,
  },
  {
    name: "parquet",
    promise: `${TYPED} What takes too much is ended by the process around it.`,
    inputs: 1500,
    bases: PARQUET,
    open: async (base) => readFileSync(join(root, `test/fixtures/parquet/${base}.parquet`)),
    mutate: (bytes, random) => mutateFooter(bytes, random),
    use: useParquet,
  },
];

/** Most edits of a Parquet file fall into its header, which lies at the end, and into the headers of its first pages. */
function mutateFooter(bytes: Uint8Array, random: Random): Edit[] {
  const length = bytes.length < 12 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true);
  const start = Math.max(0, bytes.length - 8 - length);
  if (random.integer(0, 2) === 0) return mutateBytes(bytes, random, 100);
  return mutateBytes(bytes.subarray(start), random).map(([at, removed, text]) => [start + at, removed, text] as const);
}

export const MUTATION_TARGETS: readonly Target[] = FORMATS.map(targetOf);
