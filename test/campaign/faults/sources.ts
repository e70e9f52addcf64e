/** Loads from sources of the caller's whose n-th read fails, is short, is long, is nonsense, or never ends. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NibbleError } from "../../../src/base/errors.ts";
import type { ByteSource, FileSet } from "../../../src/io/byte-source.ts";
import { bytesSource } from "../../../src/io/memory-source.ts";
import { createLoad } from "../../../src/load/create-load.ts";
import { fixtureFiles } from "../../formats/helpers.ts";
import { architectures, testHost } from "../../helpers/models.ts";
import { OPTIONS } from "../mutation/differential.ts";
import { pick } from "../mutation/numbers.ts";
import { Broken, type Input, type Target } from "../target.ts";

interface ReadFault {
  /** The read's number, from 1, over all files. */
  readonly number: number;
  readonly fault: "fails" | "short" | "long" | "nonsense" | "no bytes" | "stalls";
}

/** The caller's own error, which a load may pass on. */
class OwnError extends Error {}

class Faulty {
  open = 0;
  #reads = 0;
  readonly #faults: readonly ReadFault[];

  constructor(faults: readonly ReadFault[]) {
    this.#faults = faults;
  }

  source(bytes: Uint8Array): ByteSource {
    const inner = bytesSource(bytes);
    this.open++;
    let closed = false;
    return {
      size: bytes.length,
      read: async (offset, length) => {
        if (closed) throw new Broken("a source is read after it was closed");
        const fault = this.#faults.find(({ number }) => number === this.#reads + 1)?.fault;
        this.#reads++;
        return this.#answer(fault, await inner.read(offset, length));
      },
      close: () => {
        if (closed) throw new Broken("a source is closed twice");
        closed = true;
        this.open--;
      },
    };
  }

  async #answer(fault: ReadFault["fault"] | undefined, bytes: Uint8Array): Promise<Uint8Array> {
    if (fault === "fails") throw new OwnError("the caller's disk");
    if (fault === "stalls") await new Promise(() => {});
    if (fault === "short") return bytes.subarray(0, bytes.length >> 1);
    if (fault === "long") return new Uint8Array(bytes.length + 8);
    if (fault === "nonsense") return bytes.map((byte, i) => byte ^ (i * 37));
    if (fault === "no bytes") return undefined as unknown as Uint8Array;
    return bytes;
  }
}

const gguf = (): Uint8Array => readFileSync(join(architectures, "llama/model.gguf"));
const folder = fixtureFiles("llama");

async function runLoad({ base, steps }: Input): Promise<string> {
  const faults = steps as readonly ReadFault[];
  const faulty = new Faulty(faults);
  const files: FileSet = {
    has: async (name) => folder[name] !== undefined,
    async open(name) {
      if (folder[name] === undefined) throw new NibbleError("missing_file", name);
      return faulty.source(folder[name]);
    },
  };
  // A read that never ends must not keep the load from being given up.
  const stalls = faults.some(({ fault }) => fault === "stalls");
  const signal = stalls ? AbortSignal.timeout(1000) : undefined;
  let outcome = "works";
  try {
    const load = createLoad(testHost)(base === "gguf" ? faulty.source(gguf()) : files, {
      ...OPTIONS,
      ...(signal && { signal }),
    });
    const model = await (stalls ? Promise.race([load, givenUp()]) : load);
    if (model === undefined) return "stalls";
    model.dispose();
  } catch (error) {
    if (error instanceof NibbleError) outcome = error.code;
    else if (error instanceof OwnError) outcome = "the caller's error";
    else if ((error as Error).name === "TimeoutError") outcome = "given up";
    else throw error;
  }
  if (faulty.open !== 0 && !stalls) throw new Broken(`${faulty.open} sources stay open`);
  return outcome;
}

const givenUp = (): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), 5000));

export const SOURCE_TARGET: Target = {
  part: "faults",
  name: "faults/sources",
  promise: "A load ends with a NibbleError or the caller's own error, and every source is closed once.",
  inputs: 8,
  async generate(random) {
    const kinds = ["fails", "short", "long", "nonsense", "no bytes", "stalls"] as const;
    const fault = (): ReadFault => ({ number: random.integer(1, 40), fault: pick(random, kinds) });
    return {
      base: pick(random, ["gguf", "folder"]),
      steps: Array.from({ length: random.integer(1, 2) }, fault),
    };
  },
  run: runLoad,
};
