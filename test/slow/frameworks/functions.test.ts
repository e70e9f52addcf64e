/**
 * The packed package where a platform calls a function or runs a container, as far as that can be seen without the platform:
 * AWS Lambda by events and streams of its documented form, Vercel by the files that its builder would upload, and the commands
 * of the Dockerfile in docs/frameworks.md.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../../helpers/free-port.ts";
import { root } from "../../helpers/models.ts";
import { messages, postJson } from "../../server/helpers.ts";
import { createProject, installTools, npm, type Project, run, tool } from "../hosts/project.ts";
import { createApp } from "./app-folder.ts";

/** docs/frameworks.md has this module; `whole` is for API Gateway, which takes no stream. */
const LAMBDA = `import { Hono } from "hono";
import { handle, streamHandle } from "hono/aws-lambda";
import { load } from "nibble-llm";
import { createHandler } from "nibble-llm/server";

const nibble = createHandler(await load("crumb"));
const app = new Hono().all("*", (c) => nibble(c.req.raw));
export const whole = handle(app);
export const handler = streamHandle(app);
`;
/**
 * Calls the functions with events of API Gateway (payload 2.0). The global \`awslambda\` is that of AWS's runtime for Node:
 * https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
 */
const INVOKE = `import { Writable } from "node:stream";
globalThis.awslambda = {
  streamifyResponse: (handler) => handler,
  HttpResponseStream: { from: (stream, metadata) => Object.assign(stream, { metadata }) },
};
const { whole, handler } = await import("./lambda.mjs");
const event = (body) => ({
  version: "2.0", routeKey: "$default", rawPath: "/v1/chat/completions", rawQueryString: "",
  headers: { "content-type": "application/json", host: "id.execute-api.eu-west-1.amazonaws.com" },
  requestContext: { domainName: "id.execute-api.eu-west-1.amazonaws.com",
    http: { method: "POST", path: "/v1/chat/completions", protocol: "HTTP/1.1", sourceIp: "192.0.2.1", userAgent: "" } },
  body: Buffer.from(JSON.stringify(body)).toString("base64"), isBase64Encoded: true,
});
const request = { messages: ${JSON.stringify(messages)}, temperature: 0 };
const parts = [];
const stream = new Writable({ write(part, _, done) { parts.push(String(part)); done(); } });
await handler(event({ ...request, stream: true }), stream, {});
console.log(JSON.stringify({ result: await whole(event(request), {}), metadata: stream.metadata, parts }));
`;
const VERCEL = `import { load } from "nibble-llm";
import { createHandler } from "nibble-llm/server";

const handler = createHandler(await load("crumb"));
export const GET = handler;
export const POST = handler;
`;
/** Copies what Vercel's builder would upload with the function to the folder that the first argument names. */
const TRACE = `import { cpSync } from "node:fs";
import { join } from "node:path";
import { nodeFileTrace } from "@vercel/nft";
const { fileList } = await nodeFileTrace(["api/ai.mjs"]);
for (const file of fileList) cpSync(file, join(process.argv[2], file));
`;
const CALL = `const { POST } = await import("./api/ai.mjs");
const body = JSON.stringify({ messages: ${JSON.stringify(messages)}, temperature: 0 });
const headers = { "content-type": "application/json" };
const request = new Request("https://app.example/v1/chat/completions", { method: "POST", headers, body });
console.log(await (await POST(request)).text());
`;

let project: Project;
let folder: string;
beforeAll(() => {
  installTools();
  project = createProject();
  const files = {
    "lambda.mjs": LAMBDA,
    "invoke.mjs": INVOKE,
    "api/ai.mjs": VERCEL,
    "trace.mjs": TRACE,
    "call.mjs": CALL,
  };
  const packages = ["hono@4.13.19", "@vercel/nft@1.11.5"];
  folder = createApp({ packages, files: { "package.json": '{ "private": true }', ...files } }, project.tarball);
});
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true });
  project?.remove();
});

it("AWS Lambda: a whole answer, and a stream", () => {
  const printed = run(process.execPath, ["invoke.mjs"], { cwd: folder });
  const { result, metadata, parts } = JSON.parse(printed) as {
    result: { statusCode: number; headers: object; body: string; isBase64Encoded: boolean };
    metadata: { statusCode: number; headers: Record<string, string> };
    parts: string[];
  };
  expect(result).toMatchObject({ statusCode: 200, isBase64Encoded: false, body: expect.stringContaining("264") });
  expect(metadata.statusCode).toBe(200);
  expect(metadata.headers["content-type"]).toMatch(/^text\/event-stream/);
  expect(parts.length).toBeGreaterThan(5);
  expect(parts.join("")).toMatch(/data: \[DONE\]\s*$/);
});

it("Vercel: the files that its builder finds are all that the function needs", () => {
  const uploaded = mkdtempSync(join(tmpdir(), "nibble-vercel-"));
  try {
    run(process.execPath, ["trace.mjs", uploaded], { cwd: folder });
    copyFileSync(join(folder, "call.mjs"), join(uploaded, "call.mjs"));
    expect(run(process.execPath, ["call.mjs"], { cwd: uploaded })).toContain("264");
  } finally {
    rmSync(uploaded, { recursive: true });
  }
});

/** A user without rights, where the test runs as root. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

it("Docker: the commands of the Dockerfile, in an empty folder with Node 20, as a user without rights", async () => {
  const page = readFileSync(join(root, "docs/frameworks.md"), "utf8");
  const commands = [...page.matchAll(/^(RUN|CMD) (.*)$/gm)].map(([, kind, command]) => ({ kind, command: command! }));
  expect(commands.map(({ kind }) => kind)).toEqual(["RUN", "CMD"]);
  const image = mkdtempSync(join(tmpdir(), "nibble-image-"));
  const home = join(image, "home");
  chmodSync(image, 0o755);
  mkdirSync(home);
  if (NOBODY.uid) chownSync(home, NOBODY.uid, NOBODY.gid!);
  copyFileSync(project.tarball, join(image, "nibble-llm.tgz"));
  writeFileSync(
    join(image, "package.json"),
    '{ "private": true, "dependencies": { "nibble-llm": "./nibble-llm.tgz" } }',
  );
  npm(["install", "--package-lock-only"], image);

  const port = await freePort();
  const PATH = `${dirname(tool("node-20/bin/node"))}:/usr/local/bin:/usr/bin:/bin`;
  const env = { PATH, HOME: home, API_KEY: "secret" };
  let server: ChildProcess | undefined;
  try {
    expect(run("sh", ["-c", "node --version"], { env })).toMatch(/^v20\./);
    run("sh", ["-c", commands[0]!.command], { cwd: image, env: { ...env, HOME: image } });
    const options = { cwd: image, env, detached: true, ...NOBODY } as const;
    server = spawn("sh", ["-c", `${commands[1]!.command} --port ${port}`], options);
    let output = "";
    for (const stream of [server.stdout, server.stderr]) stream?.on("data", (text) => (output += text));
    const url = `http://127.0.0.1:${port}`;
    while ((await fetch(`${url}/health`).catch(() => undefined))?.status !== 200) {
      if (server.exitCode !== null) throw new Error(output);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const request = { messages, temperature: 0 };
    expect((await postJson(`${url}/v1/chat/completions`, request)).status).toBe(401);
    const init = { headers: { authorization: "Bearer secret" } };
    expect(await (await postJson(`${url}/v1/chat/completions`, request, init)).text()).toContain("264");
  } finally {
    if (server?.pid && server.exitCode === null) process.kill(-server.pid);
    rmSync(image, { recursive: true });
  }
});
