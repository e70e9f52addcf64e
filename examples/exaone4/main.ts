/**
 * Continues a text with an EXAONE 4.0 model:
 *
 *   node examples/exaone4/main.ts EXAONE-4.0-1.2B-Q4_0.gguf "The capital of France is"
 *
 * Needs an engine that runs TypeScript (Node >= 22.18, Deno, Bun).
 */
import { load } from "nibble-llm";
import "./exaone4.ts";

const [path, prompt = "Once upon a time"] = process.argv.slice(2);
if (!path) {
  console.error("usage: main.ts MODEL [PROMPT]");
  process.exit(2);
}
const model = await load(path);
const stream = await model.completions.create({ prompt, stream: true, temperature: 0, max_tokens: 16 });
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.text ?? "");
process.stdout.write("\n");
