/**
 * Writes docs/guide/models.md: which models have a name, and what memory each takes, from the registry.
 * `node scripts/models-page.ts`
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fitsWorker, knownFamilies } from "../src/hub/families.ts";
import type { KnownModel } from "../src/hub/registry.ts";

const HEAD = `# Which model for which memory

This page is made by \`scripts/models-page.ts\` from the registry of the package. \`nibble ls --all\` prints the same list, and
\`nibble show NAME\` says where a model comes from. Any other model of [these architectures](https://github.com/nibble-llm/nibble#what-runs) runs as well,
by its address on the hub or as a file.

The weights are the largest part of the memory. The column *q4_0* is what they take in 4 bits per weight
(\`nibble convert SOURCE OUT --type q4_0\`); the column *file* is the file that \`nibble pull\` fetches. The key-value cache comes
on top: \`nibble inspect MODEL\` and \`await plan(source)\` show it for a context length before anything is loaded.

| memory | what fits |
|---|---|
| a Worker, 128 MB | models marked *Worker* |
| a browser tab on a phone, about 500 MB | up to 360 million parameters in 4 bits |
| a browser tab on a computer, 4 GB of WebAssembly memory | up to 3 billion parameters in 4 bits |
| Node, Deno, Bun | the same 4 GB, in one process |
`;

/** Bytes of weights in Q4_0: 18 bytes for 32 weights. */
const Q4_0_BYTES = 18 / 32;

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6).toLocaleString("en-US")} MB`;

function row(model: KnownModel): string {
  const { name, title, parameters, pinned, licence, gated } = model;
  const remarks = [fitsWorker(model) && "Worker", gated && "gated: needs HF_TOKEN"].filter(Boolean).join(", ");
  const file = pinned ? megabytes(pinned.bytes) : "";
  return `| \`${name}\` | ${title} | ${file} | ${megabytes(parameters * 1e6 * Q4_0_BYTES)} | ${licence} | ${remarks} |`;
}

/** The page's text. */
export function modelsPage(): string {
  const families = knownFamilies().map(({ name, goodFor, models }) =>
    [
      `## ${name}`,
      `${goodFor[0]!.toUpperCase()}${goodFor.slice(1)}.`,
      ["| name | model | file | q4_0 | licence | remarks |", "|---|---|---|---|---|---|", ...models.map(row)].join(
        "\n",
      ),
    ].join("\n\n"),
  );
  return `${[HEAD.trimEnd(), ...families].join("\n\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(import.meta.dirname, "../docs/guide/models.md"), modelsPage());
