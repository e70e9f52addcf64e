/**
 * Converts models/crumb (Hugging Face, F32) to the GGUF inside the package. The same input gives the same bytes.
 *
 *   node scripts/convert-crumb.ts [type] [out]     default: q8_0 dist/crumb.gguf
 *
 * `scripts/build.mjs` bundles this file first, because Node 20 does not run TypeScript.
 * @module
 */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { readHuggingFace } from "../src/formats/huggingface/folder.ts";
import { directoryFiles } from "../src/hosts/node/files.ts";
import { writeFileAtomically } from "../weights-tools/atomic-file.ts";
import { type ConvertReport, convert } from "../weights-tools/convert.ts";
import { type WeightType, weightType } from "../weights-tools/types/weight-types.ts";

/**
 * Converts crumb.
 * @param folder its Hugging Face folder
 * @param out the GGUF to write, in a folder that exists
 */
export async function convertCrumb(folder: string, out: string, type: WeightType = "q8_0"): Promise<ConvertReport> {
  const checkpoint = await readHuggingFace(directoryFiles(folder));
  try {
    return await writeFileAtomically(out, (sink) => convert(checkpoint, sink, { type, name: "crumb" }));
  } finally {
    await checkpoint.close();
  }
}

if (process.argv[1] !== undefined && pathToFileURL(realpathSync(process.argv[1])).href === import.meta.url) {
  const repository = fileURLToPath(new URL("..", import.meta.url));
  const [type = "q8_0", out = join(repository, "dist", "crumb.gguf")] = process.argv.slice(2);
  try {
    const report = await convertCrumb(join(repository, "models", "crumb"), out, weightType(type));
    console.log(`${out}: ${report.bytes} bytes`);
    for (const note of report.notes) console.log(`note: ${note}`);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
