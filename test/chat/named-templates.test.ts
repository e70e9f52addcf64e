import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chooseTemplate, templateName } from "../../src/chat/named-templates.ts";
import { type ChatMessage, compileTemplate } from "../../src/chat/template.ts";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import { readHuggingFace } from "../../src/formats/huggingface/folder.ts";
import { directoryFiles } from "../../src/hosts/node/files.ts";
import { chatTemplates } from "../../src/load/model-defaults.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url).pathname;
const TEMPLATES = join(FIXTURES, "chat/templates");
const CRUMB = new URL("../../models/crumb/", import.meta.url).pathname;
const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));

interface Case {
  readonly name: string;
  readonly variables: { readonly messages: ChatMessage[]; readonly tools?: unknown[] };
  readonly expect: { readonly text: string };
}

/** The templates of a case: from fields of a GGUF file, or from files over those of a model's folder. */
async function templatesOf(folder: string): Promise<ReadonlyMap<string, string>> {
  if (existsSync(join(folder, "gguf.json"))) {
    const metadata = new Map(Object.entries(json(join(folder, "gguf.json"))));
    return chatTemplates({ metadata } as unknown as Checkpoint);
  }
  const model = mkdtempSync(join(tmpdir(), "nibble-templates-"));
  cpSync(CRUMB, model, { recursive: true });
  rmSync(join(model, "chat_template.jinja"), { force: true });
  cpSync(join(folder, "files"), model, { recursive: true });
  const checkpoint = await readHuggingFace(directoryFiles(model));
  await checkpoint.close();
  rmSync(model, { recursive: true });
  return chatTemplates(checkpoint);
}

describe("templates in several files, with names, or with other line ends", () => {
  it.each(readdirSync(TEMPLATES))("%s", async (name) => {
    const templates = await templatesOf(join(TEMPLATES, name));
    for (const { variables, expect: wanted } of json(join(TEMPLATES, name, "cases.json")) as Case[]) {
      const source = templates.get(templateName(templates, variables.tools !== undefined))!;
      const tokens = { bosToken: "<|begin_of_text|>", eosToken: "<|end_of_text|>" };
      expect(compileTemplate(source).render({ ...variables, ...tokens })).toBe(wanted.text);
    }
  });
});

describe("which template", () => {
  const templates = new Map([
    ["tool_use", "T"],
    ["default", "D"],
    ["rag", "R"],
  ]);
  it("is tool_use for requests with tools, if there is one", () => {
    expect(templateName(templates, true)).toBe("tool_use");
    expect(templateName(templates, false)).toBe("default");
    expect(templateName(new Map([["default", "D"]]), true)).toBe("default");
  });
  it("is an error that lists the names where none is the default", () => {
    expect(() => templateName(new Map([["rag", "R"], ["chat", "C"]]), true)).toThrow(
      expect.objectContaining({ code: "template_error", message: expect.stringContaining("chat, rag") }),
    ); // biome-ignore format: one line
  });
  it("can be chosen by its name, or given as source", () => {
    expect([...chooseTemplate(templates, "rag")]).toEqual([["default", "R"]]);
    expect([...chooseTemplate(templates, "{{ 1 }}")]).toEqual([["default", "{{ 1 }}"]]);
    expect(chooseTemplate(templates, "chatml").get("default")).toContain("<|im_start|>");
    expect(() => chooseTemplate(templates, "rga")).toThrow(
      expect.objectContaining({
        code: "invalid_argument",
        message: expect.stringContaining("chatml, default, gemma, llama3, rag, tool_use"),
      }),
    );
  });
});
