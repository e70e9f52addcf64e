import { describe, expect, it } from "vitest";
import { fallbackTemplate } from "../../src/chat/fallback.ts";
import { compileTemplate } from "../../src/chat/template.ts";

const vocabulary = (...tokens: string[]) => ({ idOf: (content: string) => (tokens.includes(content) ? 1 : undefined) });
const messages = [
  { role: "system", content: "S" },
  { role: "user", content: " a\n" },
  { role: "assistant", content: "b" },
  { role: "user", content: "c" },
];
const render = (...tokens: string[]) =>
  compileTemplate(fallbackTemplate(vocabulary(...tokens))).render({ messages, bosToken: "<bos>" });

describe("turn formats for models without a template", () => {
  it("chatml", () => {
    expect(render("<|im_start|>", "<|im_end|>")).toBe(
      "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n a\n<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n",
    );
  });
  it("llama3", () => {
    expect(render("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")).toBe(
      "<bos><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\na<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nb<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nc<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    );
  });
  it("gemma: the system text joins the first user turn", () => {
    expect(render("<start_of_turn>", "<end_of_turn>")).toBe(
      "<bos><start_of_turn>user\nS\n\na<end_of_turn>\n<start_of_turn>model\nb<end_of_turn>\n<start_of_turn>user\nc<end_of_turn>\n<start_of_turn>model\n",
    );
  });
  it("a vocabulary without turn tokens is told to use completions", () => {
    expect(() => render("<|im_start|>")).toThrow(
      expect.objectContaining({ code: "invalid_request", message: expect.stringContaining("completions") }),
    );
  });
});
