import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { NibbleError } from "../../src/base/errors.ts";
import { type ChatMessage, compileTemplate } from "../../src/chat/template.ts";

const read = (name: string) => readFileSync(new URL(`../fixtures/chat/jinja/${name}`, import.meta.url), "utf8");
const NOW = new Date(2025, 2, 9, 14, 5, 7);

interface Variables extends Readonly<Record<string, unknown>> {
  readonly messages?: readonly ChatMessage[];
  readonly tools?: readonly unknown[];
  readonly add_generation_prompt?: boolean;
}

/** The text, or null for a template that is refused as it should be: by an error of ours. */
function render(
  source: string,
  variables: Variables,
  tokens = ["<|begin_of_text|>", "<|end_of_text|>"],
): string | null {
  const { messages = [{ role: "user", content: "hi" }], tools, add_generation_prompt = true, ...extra } = variables;
  const [bosToken, eosToken] = tokens;
  const options = { messages, tools, addGenerationPrompt: add_generation_prompt, bosToken, eosToken, now: NOW };
  try {
    return compileTemplate(source).render({ ...options, extra: new Map(Object.entries(extra)) });
  } catch (error) {
    expect(error).toBeInstanceOf(NibbleError);
    expect((error as NibbleError).cause, String((error as NibbleError).cause)).not.toBeInstanceOf(TypeError);
    return null;
  }
}

describe("constructs of Jinja render as in transformers' sandbox", () => {
  interface Case {
    readonly id: string;
    readonly template: string;
    readonly variables: Variables;
    readonly expect: { readonly text?: string };
  }
  const cases = read("cases.jsonl").split("\n").filter(Boolean).map((line) => JSON.parse(line) as Case); // biome-ignore format: one line
  it.each(cases)("$id", ({ template, variables, expect: { text } }) => {
    expect(render(template, variables)).toBe(text ?? null);
  });
});

describe("templates that record.py rendered with Jinja2", () => {
  const { cases, messages, tools, variables } = JSON.parse(read("recorded.json"));
  const all = cases as readonly (readonly [template: string, text: string | null])[];
  const kinds = new Map<string, string[]>();
  for (const [source, text] of all) {
    const kind = /^\{\{ \((.*?)\)[.|[ ]/.exec(source)?.[1] ?? "statements";
    const got = render(source, { messages, tools, ...variables }, ["<s>", "</s>"]);
    if (!kinds.has(kind)) kinds.set(kind, []);
    if (got !== text)
      kinds.get(kind)!.push(`${source}\nexpected ${JSON.stringify(text)}\ngot      ${JSON.stringify(got)}`);
  }
  it("are more than 5,000", () => expect(all.length).toBeGreaterThan(5000));
  it.each([...kinds])("%s", (_kind, differences) => expect(differences).toEqual([]));
});
