import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CallDelta, ToolCallParser, type ToolParserOptions } from "../../src/chat/tool-calls.ts";
import { type ToolFormat, toolFormat } from "../../src/chat/tool-format.ts";

const names = new Set(["get_weather", "add", "now"]);

/** Everything that comes out of a text that comes in pieces. */
function parse(pieces: readonly string[], format: ToolFormat, options: Partial<ToolParserOptions> = {}) {
  const parser = new ToolCallParser({ format, names, parallel: true, ...options });
  let content = "";
  const calls: { name: string; arguments: string }[] = [];
  const take = ({ content: text, calls: deltas }: { content: string; calls: readonly CallDelta[] }) => {
    content += text;
    for (const { index, name, arguments: more } of deltas) {
      if (name !== undefined) {
        expect(index).toBe(calls.length);
        calls.push({ name, arguments: more });
      } else calls[index]!.arguments += more;
    }
  };
  for (const piece of pieces) take(parser.push(piece));
  take(parser.end());
  expect(parser.count).toBe(calls.length);
  return { content, calls };
}

const CASES: readonly [ToolFormat, string, string, [name: string, text: string][]][] = [
  ["hermes", "Just text.", "Just text.", []],
  ["hermes", '<tool_call>\n{"name": "add", "arguments": {"a": 1, "b": [2, "}"]}}\n</tool_call>', "", [["add", '{"a": 1, "b": [2, "}"]}']]],
  ["hermes", 'Let me see.\n<tool_call>{"name":"now","arguments":{}}</tool_call>', "Let me see.", [["now", "{}"]]],
  [
    "hermes",
    '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>\n<tool_call>\n{"name": "now"}\n</tool_call>',
    "",
    [["add", '{"a": 1}'], ["now", "{}"]],
  ],
  ["hermes", '<tool_call>{"arguments": {"a": "\\"\\\\"}, "name": "add"}</tool_call> done', "done", [["add", '{"a": "\\"\\\\"}']]],
  ["hermes", '<tool_call>{"name": "add", "arguments": "{\\"a\\": 1}"}</tool_call>', "", [["add", '{"a": 1}']]],
  ["hermes", '<tool_call>{"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}</tool_call>', "", [["add", '{"a": 1}']]],
  ["hermes", '<tool_call>{"name": "add", "arguments": {"a": 1}}', "", [["add", '{"a": 1}']]], // the close is missing
  ["hermes", '<tool_call>{"name": "nobody", "arguments": {}}</tool_call>', '<tool_call>{"name": "nobody", "arguments": {}}</tool_call>', []],
  ["hermes", "<tool_call>no json</tool_call>", "<tool_call>no json</tool_call>", []],
  ["hermes", "a < b <tool_ca", "a < b <tool_ca", []],
  ["hermes", "text  \n\n", "text  \n\n", []],
  ["hermes", '{"name": "add", "arguments": {}}', '{"name": "add", "arguments": {}}', []], // no tag
  ["llama3", '{"name": "get_weather", "parameters": {"city": "Zürich"}}', "", [["get_weather", '{"city": "Zürich"}']]],
  ["llama3", '\n<|python_tag|>{"name": "add", "parameters": {"a": 1}}', "", [["add", '{"a": 1}']]],
  ["llama3", '{"name": "add", "parameters": {"a": 1}}; {"name": "now", "parameters": null}', "", [["add", '{"a": 1}'], ["now", "{}"]]],
  ["llama3", '{"type": "function", "name": "add", "parameters": {"a": 1}}', "", [["add", '{"a": 1}']]],
  ["llama3", '{"answer": {"name": "add"}} is JSON', '{"answer": {"name": "add"}} is JSON', []],
  ["llama3", 'The call is {"name": "add"}', 'The call is {"name": "add"}', []],
  ["llama3", "now", "now", []],
  ["llama3", "nowhere", "nowhere", []],
  ["llama3", '<|python_tag|>get_weather.call(city="New \\"York\\"", days=3, exact=True)', "", [["get_weather", '{"city":"New \\"York\\"","days":3,"exact":true}']]],
  ["llama3", `add.call(a="${"x".repeat(300)}")`, "", [["add", `{"a":"${"x".repeat(300)}"}`]]], // longer than what is held
  ["llama3", "<|python_tag|>print(1)", "print(1)", []],
  ["llama3", '<|python_tag|>{"name": "nobody"}', '{"name": "nobody"}', []],
  ["llama3", '<|python_tag|>{"name": "now", "parameters": {}}', "", [["now", "{}"]]],
  ["llama3", "add.call(a=1, b=-2.5e3)", "", [["add", '{"a":1,"b":-2500}']]],
  ["llama3", "now.call(", "now.call(", []],
  ["llama3", "other.call(a=1)", "other.call(a=1)", []],
]; // biome-ignore format: a table

const ADD = '{"name": "add", "arguments": {"a": 1}}';
/** Hermes' format where calls count without tags too. */
const BARE: readonly [text: string, content: string, calls: number][] = [
  [ADD, "", 1],
  [`  ${ADD}\n`, "", 1],
  ['{\n  "name": "add",\n  "arguments": {\n    "a": 1\n  }\n}', "", 1],
  [`\`\`\`json\n${ADD}\n\`\`\``, "", 1],
  [`\`\`\`\n${ADD}\n${ADD}\n\`\`\`\n`, "", 2],
  [`I look it up.\n\n\`\`\`json\n${ADD}\n\`\`\`\nOne moment.`, "I look it up.One moment.", 1],
  [`[${ADD}, ${ADD}]`, "", 2],
  [`\`\`\`json\n[\n  ${ADD},\n  ${ADD}\n]\n\`\`\``, "", 2],
  [`<tools>\n${ADD}\n</tools>`, "", 1],
  [`\`\`\`xml\n<tool_call>\n${ADD}\n</tool_call>\n\`\`\``, "", 1],
  [`Done.\n${ADD}`, "Done.", 1],
  ['{"name": "Elm", "arguments": {}}', '{"name": "Elm", "arguments": {}}', 0],
  ['{"name": "add"}', '{"name": "add"}', 0], // no arguments
  ['{"name": "add", "age": 3}', '{"name": "add", "age": 3}', 0],
  [`The call is ${ADD}.`, `The call is ${ADD}.`, 0],
  ["```json\n{}\n```", "```json\n{}\n```", 0],
  ["```python\nprint(1)\n```", "```python\nprint(1)\n```", 0],
  ["a\n```\n<b>\n[1]\n{", "a\n```\n<b>\n[1]\n{", 0],
];

describe("calls without tags", () => {
  it.each(BARE)("%s", (text, content, calls) => {
    for (const pieces of [[text], [...text]]) {
      const parsed = parse(pieces, "hermes", { bare: true });
      expect([parsed.content, parsed.calls.length]).toEqual([content, calls]);
      expect(parsed.calls.every(({ name, arguments: given }) => name === "add" && JSON.parse(given).a === 1)).toBe(
        true,
      );
    }
  });
});

describe("an answer that is cut off inside of a call shows no tag", () => {
  const whole = `I see.\n<tool_call>\n${ADD}\n</tool_call>\n<tool_call>\n${ADD}\n</tool_call>`;
  it.each([true, false])("calls without tags count: %s", (bare) => {
    for (let length = 0; length <= whole.length; length++) {
      const parser = new ToolCallParser({ format: "hermes", names, parallel: true, bare });
      const content = parser.push(whole.slice(0, length)).content + parser.end(true).content;
      expect("I see.\n").toContain(content);
    }
  });

  it("nor the beginning of a call that is asked for", () => {
    const call = '{"name": "add", "parameters": {"a": 1}}';
    for (let length = 0; length <= call.length; length++) {
      const parser = new ToolCallParser({ format: "llama3", names, parallel: true, required: true });
      expect(parser.push(call.slice(0, length)).content + parser.end(true).content).toBe("");
    }
  });
});

describe("a text whose beginning is known", () => {
  it.each([ADD, `<tool_call>${ADD}</tool_call>`, "Hello, world. <b>", "a\n```json\n[1, 2]\n```"])("%s", (text) => {
    const whole = parse([text], "hermes", { bare: true });
    for (let length = 0; length <= text.length; length++) {
      const parser = new ToolCallParser({ format: "hermes", names, parallel: true, bare: true });
      parser.begin(text.slice(0, length));
      const [more, rest] = [parser.push(text.slice(length)), parser.end()];
      expect(parser.count).toBe(whole.calls.length);
      const calls = [...more.calls, ...rest.calls];
      expect(calls.flatMap(({ name }) => name ?? [])).toEqual(whole.calls.map(({ name }) => name));
      expect(calls.map((call) => call.arguments).join("")).toBe(whole.calls.map((call) => call.arguments).join(""));
      expect(more.content + rest.content).toBe(whole.content === "" ? "" : text.slice(length));
    }
  });
});

describe("calls are told from text", () => {
  it.each(CASES)("%s: %s", (format, text, content, calls) => {
    const wanted = { content, calls: calls.map(([name, given]) => ({ name, arguments: given })) };
    expect(parse([text], format)).toEqual(wanted);
    expect(parse([...text], format)).toEqual(wanted);
  });

  it("however the text is cut", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...'<tool_call>|</tool_call>|{|}|"name"|:|"add"|,|"arguments"|[|]|\\|"|\n| |é|1|<|<|python_tag|>|```|```json\n|<tools>'.split(
          "|",
        ),
      ),
      fc.constantFrom(...CASES.map(([, text]) => text), ...BARE.map(([text]) => text)),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.constantFrom<ToolFormat>("hermes", "llama3"),
        fc.boolean(),
        (pieces, format, bare) => {
          const whole = parse([pieces.join("")], format, { bare });
          expect(parse(pieces, format, { bare })).toEqual(whole);
          expect(parse([...pieces.join("")], format, { bare })).toEqual(whole);
          if (whole.calls.length > 0) return;
          const text = pieces.join("");
          expect(whole.content).toBe(format === "llama3" ? text.replace(/^(\s*)<\|python_tag\|>/, "$1") : text);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it("text that is no call comes at once, arguments as they are written", () => {
    const parser = new ToolCallParser({ format: "hermes", names, parallel: true });
    expect(parser.push("Hello")).toEqual({ content: "Hello", calls: [] });
    expect(parser.push(' you<tool_call>{"name": "add", "arg')).toEqual({
      content: " you",
      calls: [{ index: 0, name: "add", arguments: "" }],
    });
    expect(parser.push('uments": {"a": ').calls).toEqual([{ index: 0, arguments: '{"a": ' }]);
    expect(parser.push("12").calls).toEqual([{ index: 0, arguments: "12" }]);
  });

  it("only the first where calls in parallel are not wanted", () => {
    const text = '<tool_call>{"name": "now"}</tool_call><tool_call>{"name": "add"}</tool_call>';
    expect(parse([text], "hermes", { parallel: false })).toEqual({
      content: "",
      calls: [{ name: "now", arguments: "{}" }],
    });
  });

  it("a million characters take no longer than they must: quadratic work would take minutes", () => {
    const text = `<tool_call>{"name": "add", "arguments": {"a": "${"x".repeat(500_000)}"}}</tool_call>${"<".repeat(300_000)}${" ".repeat(200_000)}`;
    parse(
      Array.from({ length: Math.ceil(text.length / 7) }, (_, i) => text.slice(7 * i, 7 * i + 7)),
      "hermes",
    );
    parse([`{"name": "add", "parameters": ${"[".repeat(500_000)}`], "llama3");
  });
});

describe("the format", () => {
  it("is told from the template", () => {
    expect(toolFormat("{% for t in tools %}{{ t }}{% endfor %}<tool_call>")).toBe("hermes");
    expect(toolFormat('Respond in the format {"name": function name, "parameters": ...}. {{ "<|python_tag|>" }}')).toBe(
      "llama3",
    );
    expect(toolFormat("[TOOL_CALLS]")).toBeUndefined();
  });
});
