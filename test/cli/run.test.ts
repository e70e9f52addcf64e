import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cli, nibble, nibbleJson, pathOf, QUESTION, Running, reference, shell } from "./helpers.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-"));
afterAll(() => rmSync(folder, { recursive: true }));
const questionFile = join(folder, "question.txt");
writeFileSync(questionFile, `${QUESTION}\n`);
const FIRST = reference[0]!;
/** The ids of a prompt, by `nibble tokenize`. */
const idsOf = async (text: string): Promise<number[]> => (await nibbleJson(["tokenize", text])).ids;
const turn = (role: string, text: string) => `<|start_header_id|>${role}<|end_header_id|>\n\n${text}<|eot_id|>`;
const prompt = (...turns: string[]) =>
  `<|begin_of_text|>${turns.join("")}<|start_header_id|>assistant<|end_header_id|>\n\n`;

describe("crumb's reference conversations, token by token", () => {
  it.each(reference)("$question", async ({ question, prompt_ids, tokens, text }) => {
    const answer = await nibbleJson(["run", "--temp", "0", question]);
    expect(Object.keys(answer)).toEqual(["prompt_tokens", "tokens", "text", "finish_reason", "timings"]);
    expect(answer.prompt_tokens).toEqual(prompt_ids);
    expect(answer.tokens).toEqual(tokens);
    expect(answer.text).toBe(text.replace(/<\|eot_id\|>$/, ""));
    expect(answer.finish_reason).toBe("stop");
    expect(answer.timings).toMatchObject({ prompt_n: prompt_ids.length, predicted_n: tokens.length });
    expect(answer.timings.predicted_ms).toBeGreaterThan(0);
  });
});

describe("the sources of model and prompt", () => {
  it.each([
    ["a model's name and a prompt", ["crumb", QUESTION]],
    ["a model's path and a prompt", [pathOf("dist/crumb.gguf"), QUESTION]],
    ["a Hugging Face folder", [pathOf("models/crumb"), QUESTION]],
    ["-m and -p", ["-m", "crumb", "-p", QUESTION]],
    ["--model= and --prompt=", ["--model=crumb", `--prompt=${QUESTION}`]],
    ["-f", ["crumb", "-f", questionFile]],
    ["after --", ["crumb", "--", QUESTION]],
  ])("%s", async (_, args) => {
    const answer = await nibbleJson(["run", "-n", "1", ...args]);
    expect(answer.prompt_tokens).toEqual(FIRST.prompt_ids);
    expect(answer.tokens).toEqual(FIRST.tokens.slice(0, 1));
    expect(answer.finish_reason).toBe("length");
  });

  it("stdin alone, and -f -, give the prompt", async () => {
    for (const args of [["run"], ["run", "crumb"], ["run", "-f", "-"]]) {
      const answer = await nibbleJson([...args, "-n", "1"], `${QUESTION}\n`);
      expect(answer.prompt_tokens).toEqual(FIRST.prompt_ids);
    }
  });

  it("text that a shell pipes in, or a file as stdin, goes after the prompt", async () => {
    const want = await idsOf(prompt(turn("user", `Add:\n${QUESTION}`)));
    for (const line of [
      `cat ${questionFile} | nibble run --json -n 1 Add:`,
      `nibble run --json -n 1 -p Add: < ${questionFile}`,
    ]) {
      expect(JSON.parse((await shell(line).result()).stdout).prompt_tokens).toEqual(want);
    }
  });

  it("a parent process that never closes the child's stdin does not hold up a prompt", async () => {
    const running = new Running(process.execPath, [cli, "run", "-n", "1", "--json", QUESTION], { stdio: "pipe" });
    expect((await running.result()).code).toBe(0);
  });

  it("-sys sets the system message; a prompt may begin like a flag or a number", async () => {
    const answer = await nibbleJson(["run", "-n", "1", "-sys", "Be brief.", "-p", "-n is what?"]);
    expect(answer.prompt_tokens).toEqual(await idsOf(prompt(turn("system", "Be brief."), turn("user", "-n is what?"))));
    expect((await nibbleJson(["run", "-n", "1", "-5 + 3"])).prompt_tokens).toEqual(
      await idsOf(prompt(turn("user", "-5 + 3"))),
    );
  });

  it("--raw continues the text", async () => {
    const answer = await nibbleJson(["run", "--raw", FIRST.prompt]);
    expect(answer.prompt_tokens).toEqual(FIRST.prompt_ids);
    expect(answer.tokens).toEqual(FIRST.tokens);
    expect((await nibbleJson(["run", "--raw", "-n", "1", "12 + 7 ="])).prompt_tokens).toEqual(await idsOf("12 + 7 ="));
  });
});

describe("sampling", () => {
  const sample = async (...args: string[]): Promise<number[]> =>
    (await nibbleJson(["run", "--raw", "--ignore-eos", "-n", "30", "--temp", "2", ...args, "Hello"])).tokens;

  it("a seed repeats an answer; another seed, and -1, give another one", async () => {
    const all = ["--top-k", "0", "--min-p", "0", "--top-p", "1"];
    const [a, b, c, d, e] = await Promise.all(["7", "7", "8", "-1", "-1"].map((seed) => sample("-s", seed, ...all)));
    expect(a).toHaveLength(30);
    expect(a).toEqual(b);
    expect(c).not.toEqual(a);
    expect(e).not.toEqual(d);
  });

  it("--top-k 1, --min-p 1 and a tiny --top-p leave only the likeliest token", async () => {
    const greedy = await sample("--temp", "0");
    for (const args of [
      ["--top-k", "1"],
      ["--min-p", "1"],
      ["--top-p", "1e-9"],
    ]) {
      expect(await sample(...args)).toEqual(greedy);
    }
    expect(await sample("--temp", "0", "--repeat-penalty", "5")).not.toEqual(greedy);
  });

  it("each of llama.cpp's flags changes the tokens that are drawn", async () => {
    const usual = ["-s", "3", "--top-k", "0", "--min-p", "0", "--top-p", "1"];
    const before = await sample(...usual);
    const common = before[5]!;
    const flags = [
      ["--repeat-penalty", "5", "--repeat-last-n", "-1"],
      ["--presence-penalty", "2"],
      ["--frequency-penalty", "2"],
      ["--dry-multiplier", "5", "--dry-base", "3", "--dry-allowed-length", "0", "--dry-sequence-breaker", "none"],
      ["--top-nsigma", "1"],
      ["--typical", "0.2"],
      ["--xtc-probability", "1", "--xtc-threshold", "0.001"],
      ["--dynatemp-range", "2", "--dynatemp-exp", "3"],
      ["--mirostat", "1", "--mirostat-ent", "1"],
      ["--mirostat", "2", "--mirostat-ent", "1", "--mirostat-lr", "0.9"],
      ["--logit-bias", `${common}-inf`],
      ["-l", "40+90"],
      ["--allowed-tokens", "40,41,42"],
      ["--samplers", "min_p"],
    ];
    const all = await Promise.all(flags.map((args) => sample(...usual, ...args)));
    for (const [i, tokens] of all.entries()) expect([flags[i], tokens]).not.toEqual([flags[i], before]);
    expect(all[10]).not.toContain(common);
    expect(new Set(all[11])).toEqual(new Set([40]));
    for (const id of all[12]!) expect([40, 41, 42]).toContain(id);
    // A flag has no effect if --samplers leaves out its step.
    expect(await sample(...usual, "--samplers", "top_k;temperature", "--typical", "0.2")).toEqual(before);
  });

  it("--reasoning-budget closes the block; --context-shift goes on when the context is full", async () => {
    const { text } = await nibbleJson(["run", "--temp", "0", "--reasoning-budget", "5", QUESTION]);
    const [reasoning, content] = text.split("</think>");
    expect((await idsOf(reasoning)).length).toBeLessThanOrEqual(8); // BOS, <think> and what stands after it
    expect(content).toContain("km");
    const shifted = [
      "run",
      "--raw",
      "-c",
      "64",
      "-n",
      "150",
      "--ignore-eos",
      "--context-shift",
      "--keep",
      "4",
      "Hello",
    ];
    expect((await nibbleJson(shifted)).tokens).toHaveLength(150);
  });

  it("--bad-word and --min-tokens are obeyed", async () => {
    const args = ["run", "--temp", "0", QUESTION];
    expect((await nibbleJson([...args, "--bad-word", "km"])).text).not.toContain("km");
    expect((await nibbleJson([...args, "--min-tokens", "80"])).tokens.length).toBeGreaterThanOrEqual(80);
  });

  it("batch size, key-value type and context length change no greedy token of crumb", async () => {
    for (const args of [
      ["-b", "7"],
      ["--kv", "int8"],
      ["--kv", "f32"],
      ["-c", "110"],
    ]) {
      expect((await nibbleJson(["run", ...args, QUESTION])).tokens).toEqual(FIRST.tokens);
    }
  });

  it("--logprobs K prints K alternatives", async () => {
    const { tokens, logprobs } = await nibbleJson(["run", "--logprobs", "3", QUESTION]);
    expect(logprobs.map(({ id }: { id: number }) => id)).toEqual(tokens);
    for (const { id, logprob, top } of logprobs) {
      expect(top).toHaveLength(3);
      expect(top[0]).toEqual([id, logprob]); // greedy
      expect(logprob).toBeLessThanOrEqual(0);
      const sum = top.reduce((total: number, [, value]: [number, number]) => total + Math.exp(value), 0);
      expect(sum).toBeLessThan(1 + 1e-9);
    }
    const none = await nibbleJson(["run", "--logprobs", "0", "-n", "2", QUESTION]);
    expect(none.logprobs.map(({ top }: { top: unknown[] }) => top)).toEqual([[], []]);
  });
});

describe("without --json", () => {
  it("the answer goes to stdout and its speed to stderr", async () => {
    const { code, stdout, stderr } = await nibble(["run", QUESTION]);
    expect(code).toBe(0);
    expect(stdout).toBe(`${FIRST.text.replace(/<\|eot_id\|>$/, "")}\n`);
    expect(stderr).toMatch(/^prompt 37 tokens, [\d.]+ tokens\/s; answer 66 tokens, [\d.]+ tokens\/s\n$/);
  });

  it("gives the same answer on two threads", async () => {
    const one = await nibble(["run", "-t", "1", QUESTION]);
    const two = await nibble(["run", "-t", "2", QUESTION]);
    expect(two.code).toBe(0);
    expect(two.stdout).toBe(one.stdout);
  });
});

// About 900 tokens, one per step, so that there is time to interrupt. The text repeats itself, so drafts are off.
const LONG = ["run", "--ignore-eos", "--draft-max", "0", QUESTION];

describe("leaving early", () => {
  it("SIGINT ends the answer and keeps its text", async () => {
    const running = new Running(process.execPath, [cli, ...LONG]);
    await running.until("<think>");
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.result();
    expect(code).toBe(130);
    expect(stdout).toMatch(/\n$/);
    const answered = Number(/answer (\d+) tokens/.exec(stderr)![1]);
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThan(900);
  });

  it("the process ends quietly when its reader has left", async () => {
    const { code, stdout, stderr } = await shell(
      `(nibble ${LONG.slice(0, -1).join(" ")} "${QUESTION}"; echo $? >&2) | head -c 7`,
    ).result();
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "<think>", stderr: "0\n" });
  });
});

describe("a draft model", () => {
  const big = pathOf("models/crumb");
  const run = (...args: string[]) => nibbleJson(["run", big, "--seed", "3", "-n", "60", ...args, QUESTION]);

  it("drafts, and changes no token", async () => {
    const plain = await run("--draft-max", "0");
    const drafts = ["-md", "crumb", "--draft-n", "6", "--draft-n-min", "2", "--draft-p-min", "0.2"];
    const drafted = await run(...drafts);
    expect(drafted.tokens).toEqual(plain.tokens);
    expect(drafted.timings.draft_n_accepted).toBeGreaterThan(10);
  });

  it("of another vocabulary is refused", async () => {
    const other = pathOf("test/fixtures/architectures/llama/model.gguf");
    const { code, stderr } = await nibble(["run", big, "-md", other, "-n", "1", QUESTION]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/draft: the two models need the same vocabulary/);
  });
});
