/**
 * What a runtime that reads strangers' files and answers strangers' requests must hold, with the test of each goal. The
 * report prints the list; `report.test.ts` checks that the tests exist.
 * @module
 */
export interface Goal {
  readonly goal: string;
  readonly tests: readonly string[];
  /** What the test demands, or what it has shown. */
  readonly figure: string;
}

export const GOALS: readonly Goal[] = [
  {
    goal: "A cut or changed model file is refused with a code, or it loads and is sound",
    tests: [
      "test/formats/gguf/truncation.test.ts",
      "test/formats/gguf/fuzz.test.ts",
      "test/campaign/mutation/targets.ts",
    ],
    figure: "every prefix of a header; 20,000 mutants per run of npm test; the campaign's below",
  },
  {
    goal: "A small file costs little",
    tests: ["test/formats/gguf/fuzz.test.ts"],
    figure: "64 bytes: at most 1 MiB and 10 ms",
  },
  {
    goal: "Wrong hyper-parameters and tokenizers are refused, or run to the end",
    tests: ["test/models/hyper-parameters.test.ts", "test/tokenizer/files.test.ts"],
    figure: "every key with every value that tends to break readers",
  },
  {
    goal: "The memory of a load is known before, and bounded",
    tests: ["test/load/plan.test.ts", "test/slow/hosts/memory.test.ts"],
    figure: "the plan's bytes are the memory's; refused before a weight is read",
  },
  {
    goal: "Downloads survive cuts, stalls and wrong answers, and never leave a wrong file",
    tests: ["test/hub/pull.test.ts", "test/slow/pull-killed.test.ts", "test/campaign/faults/targets.ts"],
    figure: "50 kills of a pull; hash equal or a typed error",
  },
  {
    goal: "Each weight type is decoded exactly",
    tests: ["test/weights-tools/quantize", "test/kernels/weight-types.test.ts"],
    figure: "0 bits differ from the scalar reference",
  },
  {
    goal: "Products and sums keep an error bound",
    tests: [
      "test/kernels/accuracy.test.ts",
      "test/kernels/matmul-accuracy.test.ts",
      "test/kernels/attention-accuracy.test.ts",
    ],
    figure: "the bound that each kernel states",
  },
  {
    goal: "Kernels touch nothing outside of their own regions",
    tests: ["test/kernels/operations.test.ts", "test/campaign/mutation/differential.ts"],
    figure: "64 bytes around every buffer, 64 KiB around every region of the whole run; filled with NaN, the bits stay",
  },
  {
    goal: "The same bits on every build, engine, chunk, batch and number of threads",
    tests: [
      "test/runtime/determinism.test.ts",
      "test/slow/hosts/hosts.test.ts",
      "test/campaign/mutation/differential.ts",
    ],
    figure: "one hash per model: test/fixtures/logits-sha256.json",
  },
  {
    goal: "An answer depends on its request alone, whatever runs beside it",
    tests: ["test/engine/schedule", "test/campaign/server/targets.ts"],
    figure: "tokens and log-probabilities equal to those of the request alone, after every step",
  },
  {
    goal: "A request that is left stops, and gives back what it held",
    tests: ["test/engine/abort.test.ts", "test/server/connections.test.ts", "test/campaign/server/targets.ts"],
    figure: "0 slots, requests and pages afterwards",
  },
  {
    goal: "Every call of the system may fail",
    tests: [
      "test/campaign/faults/targets.ts",
      "test/load/file-handles.test.ts",
      "test/cli/unreadable.test.ts",
      "test/slow/full-disk.test.ts",
    ],
    figure:
      "n-th read, write, rename, sync, open, stat, fetch; a full disk of 2 MiB; clock; kill -9; the next run is right",
  },
  {
    goal: "A server that is killed has nothing half-written when it starts again",
    tests: ["test/slow/server-killed.test.ts"],
    figure: "8 kills while slots are saved, files come and batches run; batches end with the answers of a run alone",
  },
  {
    goal: "A trap ends the instance, and the server comes back",
    tests: ["test/server/recovery.test.ts", "test/runtime/threads.test.ts"],
    figure: "/health 503 meanwhile; 3 reloads within ten minutes",
  },
  {
    goal: "Memory, handles and speed stay the same over a long time",
    tests: ["test/slow/server-soak.test.ts", "test/campaign/soak.ts"],
    figure: "at most 16 MiB from the middle to the end",
  },
  {
    goal: "Tokenizing takes time in proportion to the text",
    tests: ["test/tokenizer/bpe.test.ts", "test/slow/tokenizer-speed.test.ts"],
    figure: "up to 1 M characters of every class",
  },
  {
    goal: "Token ids are those of the reference tokenizers",
    tests: ["test/tokenizer/families.test.ts", "test/tokenizer/pipelines.test.ts"],
    figure: "all recorded cases",
  },
  {
    goal: "Templates end, within bounds of steps, output and depth",
    tests: ["test/chat/jinja.test.ts", "test/slow/template-fuzz.test.ts"],
    figure: "20,000 mutated templates, each under 3 s on a busy machine",
  },
  {
    goal: "Schemas, grammars and patterns compile within bounds, and never reach RegExp",
    tests: [
      "test/grammar/hostile.test.ts",
      "test/slow/schema-fuzz.test.ts",
      "test/campaign/regular-expressions.test.ts",
    ],
    figure: "counted steps; a pattern of the user is compiled to an automaton",
  },
  {
    goal: "Each field of a request has bounds, and an error names it",
    tests: ["test/server/fields.test.ts", "test/server/fuzz.test.ts", "test/slow/server-fuzz.test.ts"],
    figure: "50,000 mutated bodies: no status 500",
  },
  {
    goal: "A crowd of slow, leaving and hostile clients does not disturb others",
    tests: ["test/server/load.test.ts", "test/slow/server-crowd.test.ts"],
    figure: "every admitted answer is right; 0 slots, pages and sockets afterwards",
  },
  {
    goal: "The server is closed to strangers unless it is told to be open",
    tests: ["test/server/callers.test.ts", "test/server/command.test.ts"],
    figure: "loopback without a key; keys compared in constant time; no shared prefixes between keys",
  },
];
