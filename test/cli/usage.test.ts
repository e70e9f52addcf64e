import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { fixtureModel, nibble, pathOf, Running } from "./helpers.ts";

const { version } = JSON.parse(readFileSync(pathOf("package.json"), "utf8"));
const COMMANDS = [
  "run",
  "pull",
  "ls",
  "show",
  "rm",
  "tokenize",
  "perplexity",
  "eval",
  "batch",
  "bench",
  "inspect",
  "convert",
  "imatrix",
  "verify",
  "split",
  "merge",
];

// [arguments, exit code, the message]
const WRONG: [args: string[], code: number, message: RegExp][] = [
  [["fetch", "crumb"], 2, /^fetch: there is no such command \(nibble --help lists them\)$/m],
  [["run", "--draft-p-min", "2", "Hi"], 2, /^--draft-p-min: expected a number from 0 to 1, got "2"/],
  [["serve", "--draft-n", "-1"], 2, /^--draft-n: expected a whole number from 0 to 1024, got "-1"/],
  [["pull"], 2, /^pull: MODEL is required; see nibble pull --help/],
  [["pull", "bread"], 2, /^MODEL: expected the name of a model, hf:.* got bread; nibble ls --all lists the names/],
  [["pull", "crumb"], 2, /^crumb is inside the package and is never pulled/],
  [["rm", "crumb"], 2, /^crumb is inside the package/],
  [["pull", "smollm2:9b"], 1, /^expected one of smollm2:135m, .*, got smollm2:9b/],
  [["pull", "hf:owner"], 1, /^expected hf:owner\/repository/],
  [["pull", "http://example.org/a.gguf"], 1, /^expected an https URL, got http:\/\/example\.org/],
  [["rm"], 2, /^a model is required: name it as MODEL, or give --partial/],
  [["run", "smollm2:1,7b", "--offline", "Hi"], 1, /^expected one of smollm2:135m/],
  [
    ["run", "smollm2:1.7b", "--offline", "Hi"],
    1,
    /^smollm2:1\.7b is not in the cache, and nothing is fetched while offline/,
  ],
  ...[
    ["tokenize", "-m", "smollm2:1.7b", "Hi"],
    ["bench", "smollm2:1.7b"],
    ["perplexity", "-m", "smollm2:1.7b", "-f", "README.md"],
    ["imatrix", "-m", "smollm2:1.7b", "-f", "README.md"],
    ["inspect", "smollm2:1.7b"],
    ["convert", "smollm2:1.7b", "/tmp/never.gguf"],
    ["verify", "smollm2:1.7b"],
    ["split", "smollm2:1.7b", "/tmp/never"],
    ["serve", "smollm2:1.7b"],
  ].map((args): (typeof WRONG)[number] => [
    [...args, "--offline"],
    1,
    /^smollm2:1\.7b is not in the cache, and nothing is fetched while offline/,
  ]),
  [["--nonsense"], 2, /^--nonsense: there is no such command/],
  [["tokenise", "Hi"], 2, /^tokenise: there is no such command \(nibble --help lists them\); did you mean tokenize\?/],
  [["help", "nothing"], 2, /^nothing: there is no such command/],
  [["help", "run", "bench"], 2, /^help: this command takes one argument, but 2 arguments were given/],
  [["run", "smolm2"], 2, /^smolm2: there is no such model; did you mean smollm2:135m or smollm2:360m or /],
  [["run", "smolm2:360m"], 2, /^smolm2:360m: there is no such model; did you mean smollm2:360m\?/],
  [["run", "qwen"], 2, /^qwen: there is no such model; did you mean qwen2.5:0.5b or .* or qwen3:/],
  [["run", "crum"], 2, /^crum: there is no such model; did you mean crumb\?/],
  [["run", "--tmp", "0", "Hi"], 2, /^--tmp: there is no such flag of nibble run; did you mean --temp\?/],
  [["run", "-x", "Hi"], 2, /^-x: there is no such flag of nibble run$/m],
  [["run", "--temp", "hot", "Hi"], 2, /^--temp: expected a number from 0 to 100000, got "hot"/],
  [["run", "--temp", "-1", "Hi"], 2, /^--temp: expected a number from 0 to 100000, got "-1"/],
  [["run", "--temp=1000000", "Hi"], 2, /^--temp: expected a number from 0 to 100000, got "1000000"/],
  [["run", "--top-p", "1.5", "Hi"], 2, /^--top-p: expected a number from 0 to 1, got "1.5"/],
  [["run", "--min-p", "1.5", "Hi"], 2, /^--min-p: expected a number from 0 to 1/],
  [["run", "--top-k", "2.5", "Hi"], 2, /^--top-k: expected a whole number from -1, got "2.5"/],
  [["run", "--samplers", "top_k;top_k", "Hi"], 2, /^--samplers: expected some of penalties;dry;.*, got "top_k;top_k"/],
  [["run", "--samplers", "top-k", "Hi"], 2, /^--samplers: expected some of penalties;/],
  [["run", "-l", "5", "Hi"], 2, /^-l: expected ID\+X, ID-X or ID-inf, got "5"/],
  [["run", "--logit-bias", "99999999+1", "Hi"], 1, /^sampling.logitBias: expected token ids from 0 to /],
  [["run", "--context-shift", "Hi"], 2, /^--context-shift: it requires -n N, because /],
  [["run", "--mirostat", "3", "Hi"], 2, /^--mirostat: expected a whole number from 0 to 2/],
  [["run", "--repeat-penalty", "0", "Hi"], 2, /^--repeat-penalty: expected a number from 0.01 to 10/],
  [["run", "-n", "0", "Hi"], 2, /^-n: expected at least 1, or -1, got 0/],
  [["run", "-n", "-2", "Hi"], 2, /^-n: expected a whole number from -1, got "-2"/],
  [["run", "-n", "1e999", "Hi"], 2, /^-n: expected a whole number/],
  [["run", "-n", "0x10", "Hi"], 2, /^-n: expected a whole number/],
  [["run", "-s", "", "Hi"], 2, /^-s: expected a whole number, got ""/],
  [["run", "Hi", "-n"], 2, /^-n: a value is required; it must be a whole number from -1/],
  [["run", "--raw=yes", "Hi"], 2, /^--raw: expected no value, got "yes"/],
  [["run", "-c", "0", "Hi"], 2, /^-c: expected a whole number from 1, got "0"/],
  [["run", "-b", "5000", "Hi"], 2, /^-b: expected a whole number from 1 to 4096/],
  [["run", "--kv", "int4", "Hi"], 2, /^--kv: expected one of int8, mixed, f32, got "int4"/],
  [["run", "--logprobs", "21", "Hi"], 2, /^--logprobs: expected a whole number from 0 to 20, got "21"/],
  [["run", "--logprobs", "3", "Hi"], 2, /^--logprobs: it requires --json$/m],
  [["run", "--raw", "-sys", "Be brief", "Hi"], 2, /^-sys: it cannot be used together with --raw, because/],
  [["run", "-p", "Hi", "Ho"], 2, /^only one of PROMPT, -p and -f can give the prompt/],
  [["run", "crumb", "How", "far?"], 2, /^run: it takes at most \[MODEL\] \[PROMPT\], but 3 arguments were given; put/],
  [["run", "crumb"], 2, /^the prompt is empty; give it as PROMPT, by -p or -f, or on stdin$/m],
  [["run", "-m", "smolm2", "Hi"], 1, /^smolm2: there is no model of this name, .*; did you mean smollm2:135m or /],
  [["run", "nothing", "Hi"], 1, /^nothing: there is no model of this name, .*; nibble ls --all lists the names$/m],
  [["run", "", "Hi"], 1, /^expected a model name, a GGUF file or a model folder, got an empty text$/m],
  [["run", "--temperature", "hot", "Hi"], 2, /^--temperature: expected a number from 0 to/],
  [["run", "--max-tokens", "many", "Hi"], 2, /^--max-tokens: expected a whole number from -1, got "many"/],
  [["pull", "smolm2:135m"], 2, /^MODEL: expected the name of a model, .* got smolm2:135m; did you mean smollm2:135m\?/],
  [["convert"], 2, /^convert: SOURCE OUT are required; see nibble convert --help/],
  [["tokenize", "Hi", "-f", "README.md"], 2, /^TEXT: it cannot be used together with -f/],
  [["perplexity"], 2, /^a text is required: name its file by -f/],
  [["perplexity", "-f", "a", "--ids", "b"], 2, /^-f: it cannot be used together with --ids/],
  [["perplexity", "text"], 2, /^perplexity: it takes only flags, but 1 argument was given/],
  [["bench", "-p", "128,x"], 2, /^-p: expected a whole number from 0, or several separated by commas, got "128,x"/],
  [["bench", "-p", "0", "-n", "0"], 2, /^a test is required: give -p or -n a number above 0/],
  [["bench", "-r", "0"], 2, /^-r: expected a whole number from 1 to 1000, got "0"/],
  [["inspect"], 2, /^a model is required: name it as MODEL or by -m/],
  [["inspect", "crumb", "-m", "crumb"], 2, /^MODEL: it cannot be used together with -m, because both name the model/],
  [["convert", "models/crumb"], 2, /^convert: SOURCE OUT are required, and only 1 argument was given/],
  [["convert", "a", "b", "--tensor-type", "x=q8_0"], 2, /^--tensor-type: it requires --type/],
  [["convert", "models/crumb", "/tmp/out.gguf", "--type", "q9_k"], 2, /^--type: expected f32, .* got "q9_k"/],
  [["convert", "a", "b", "--imatrix", "x"], 2, /^--imatrix: it requires --type/],
  [["convert", "a", "b", "--pure"], 2, /^--pure: it requires --type/],
  [["convert", "a", "b", "--type", "q8_0", "--tensor-type", "x=q4_k_m"], 2, /^--tensor-type: expected NAME=TYPE/],
  [["convert", "a", "b", "--type", "q8_0", "--tensor-type", "x"], 2, /^--tensor-type: expected NAME=TYPE .* got "x"/],
  [["perplexity", "--kl-divergence", "-f", "a"], 2, /^--kl-divergence: it requires --kl-divergence-base FILE/],
  [
    ["perplexity", "-f", "a", "--kl-divergence-base", "b", "--reference", "c"],
    2,
    /^--kl-divergence-base: it cannot be used together with --reference/,
  ],
  [
    ["perplexity", "-f", "a", "--kl-divergence", "--kl-divergence-base", "b"],
    2,
    /^-f: .* because the text and its windows are those of b/,
  ],
  [["imatrix"], 2, /^a text is required: name its file by -f/],
  [["split", "a", "b", "--split-max-size", "2T"], 2, /^--split-max-size: expected a size such as 500M or 2G, got "2T"/],
  [
    ["split", "a", "b", "--split-max-size", "2G", "--split-max-tensors", "5"],
    2,
    /^--split-max-size: it cannot be used together with --split-/,
  ],
  [["merge", "a"], 2, /^merge: FIRST OUT are required, and only 1 argument was given/],
  [["verify"], 2, /^verify: MODEL \[OTHER\] is required/],
  [["serve", "crumb", "-m", "crumb"], 2, /^MODEL: it cannot be used together with -m, because both name the model/],
  [["serve", "crumb", "crumb"], 2, /^serve: there are two models of the name crumb/],
  [["serve", "crumb", "a.gguf", "--alias", "x"], 2, /^--alias: it cannot be used together with several models/],
  [
    ["serve", "--chat-template", "nothing"],
    2,
    /^--chat-template: expected one of .*chatml.*, or Jinja source, got "nothing"/,
  ],
  [
    ["serve", "--chat-template", "chatml", "--chat-template-file", "a"],
    2,
    /^--chat-template: it cannot be used together/,
  ],
  [["serve", "--chat-template-kwargs", "[1]"], 2, /^--chat-template-kwargs: expected a JSON object, got "\[1\]"/],
  [["serve", "--models-max", "-1"], 2, /^--models-max: expected a whole number from 0/],
  [["serve", "--temp", "-9"], 2, /^--temp: expected a number from 0 to 100000/],
  [["serve", "--ngl", "9"], 2, /^--ngl: there is no such flag of nibble serve/],
  [["serve", "--port", "65536"], 2, /^--port: expected a whole number from 0 to 65535/],
  // These errors need the file or the model.
  [["run", "./missing/model", "Hi"], 1, /^\.\/missing\/model: there is no such file or folder$/m],
  [["run", "missing.gguf", "-p", "Hi"], 1, /^missing\.gguf: there is no such file or folder$/m],
  [["run", pathOf("package.json"), "Hi"], 1, /expected a GGUF file, got one that begins 7b/],
  [["run", pathOf("src"), "Hi"], 1, /config\.json is missing; a model folder needs config\.json, /],
  [["run", "-f", "missing.txt"], 1, /^missing\.txt: it cannot be read: ENOENT/],
  [["run", "-c", "1025", "Hi"], 2, /^-c: expected a whole number from 1 to 1024, got 1025/],
  [["run", "-c", "8", "one two three four five"], 1, /exceeds the available context size of 8/],
  [["run", "-sys", "Be brief.", fixtureModel, "Hi"], 1, /^-sys: this model has no chat template/],
  [["tokenize", "-m", "missing.gguf", "Hi"], 1, /^missing\.gguf: there is no such file or folder$/m],
  [["perplexity", "--ids", pathOf("package.json")], 1, /package\.json: it is not a JSON array of token ids/],
  [["perplexity", "--ids", pathOf("LICENSE")], 1, /LICENSE: it is not JSON: /],
  [["bench", "-p", "2000", "-n", "0"], 2, /^-p: expected at most the 1024 tokens of the model's context, got 2000/],
  [["bench", "-p", "8", "-d", "1020"], 2, /^-p: expected at most the 1024 .* \(1020 of them for -d\), got 1028/],
  [["bench", "-d", "2000"], 2, /^-d: expected at most the 1024 tokens/],
  [["imatrix", "-f", pathOf("LICENSE"), "-c", "2000"], 2, /^-c: expected a whole number from 1 to 1024, got 2000/],
  [
    ["convert", "crumb", "missing/folder/out.gguf"],
    1,
    /^missing\/folder\/out\.gguf: its folder missing\/folder does not exist/,
  ],
  [["convert", "crumb", pathOf("LICENSE/out.gguf")], 1, /: its folder .*LICENSE does not exist/],
  [["serve", "--api-key-file", "missing.txt"], 1, /^missing\.txt: it cannot be read/],
  [["serve", "--slot-save-path", "missing"], 1, /^--slot-save-path: there is no folder missing/],
  [["serve", "--host", "::nowhere", "--insecure"], 1, /^::nowhere:8080: it cannot be listened on/],
  [["inspect", fixtureModel, "-c", "10000000"], 2, /^-c: expected a whole number from 1 to/],
];

describe("wrong usage", () => {
  it.each(WRONG)("nibble %j: exit code %i", async (args, code, message) => {
    const result = await nibble(args);
    expect(result.stderr).toMatch(/^nibble: [^\n]+\n$/);
    expect(result.stderr.slice("nibble: ".length)).toMatch(message);
    expect(result).toMatchObject({ code, stdout: "" });
  });

  it.each([
    [["run", "--temp", "hot", "Hi", "--json"], 2, "invalid_argument"],
    [["nothing", "--json"], 2, "invalid_argument"],
    [["run", "missing.gguf", "Hi", "--json"], 1, "missing_file"],
    [["inspect", pathOf("package.json"), "--json"], 1, "bad_magic"],
    [["run", "-c", "8", "one two three four five", "--json"], 1, "context_full"],
  ])("nibble %j: exit code %i, an object with code %s", async (args, code, errorCode) => {
    const result = await nibble(args);
    const { error, ...rest } = JSON.parse(result.stdout);
    expect(rest).toEqual({});
    expect(Object.keys(error)).toEqual(["code", "message"]);
    expect(error.code).toBe(errorCode);
    expect(result.stderr).toBe(`nibble: ${error.message}\n`);
    expect(result.code).toBe(code);
  });
});

it("a port that is taken is an error", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  const { code, stdout, stderr } = await nibble(["serve", "--port", `${port}`, "--json"]);
  other.close();
  const { error } = JSON.parse(stdout);
  expect([code, error.code]).toEqual([1, "io_error"]);
  expect(error.message).toMatch(`127.0.0.1:${port}: the port is taken; --port chooses another`);
  expect(stderr).toBe(`nibble: ${error.message}\n`);
});

describe("help", () => {
  it("names all commands", async () => {
    const { code, stdout, stderr } = await nibble(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
    expect(await nibble([])).toEqual({ code, stdout, stderr });
  });
  it.each(COMMANDS)("%s: shows its flags", async (command) => {
    const { stdout } = await nibble(["help", command]);
    expect(stdout).toMatch(new RegExp(`^nibble ${command}`));
    expect(stdout).toMatch(/^ {2}--json +print JSON/m);
    if (command === "run") expect(await nibble(["run", "-h"])).toEqual({ code: 0, stdout, stderr: "" });
  });
  it("--version shows the version", async () => {
    expect(await nibble(["--version"])).toEqual({ code: 0, stdout: `nibble ${version}\n`, stderr: "" });
  });
});

it("an uncaught error of the library is shown by its message, not by a dump", async () => {
  const script = `import(${JSON.stringify(pathOf("dist/index.js"))}).then(({ load }) => load(5))`;
  const { code, stderr } = await new Running(process.execPath, ["-e", script]).result();
  expect([code, stderr]).toEqual([1, expect.stringContaining("NibbleError: source: expected a name")]);
  expect(stderr.length).toBeLessThan(2000);
});
