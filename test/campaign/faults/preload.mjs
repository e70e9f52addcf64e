/**
 * Loaded into a process before its program (`node --import`): makes calls of the file system, the network and the clock fail
 * as NIBBLE_FAULTS says, a JSON list of `{ call, number, fault, forever }`. Counts every kind of call, and writes the counts to
 * NIBBLE_FAULT_COUNTS at the end, so that the campaign knows how many there are.
 */
import fs from "node:fs";
import fsPromises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const faults = JSON.parse(process.env.NIBBLE_FAULTS ?? "[]");
const counts = {};

/** The fault of this call, if it has one. */
function due(call) {
  counts[call] = (counts[call] ?? 0) + 1;
  return faults.find(
    (one) => one.call === call && (one.forever ? counts[call] >= one.number : counts[call] === one.number),
  );
}

function failure({ fault }, call) {
  const code = fault === "fails" ? "EIO" : fault;
  return Object.assign(new Error(`${code}: made to fail, ${call}`), { code, errno: -5, syscall: call });
}

/** Kinds that throw what the system would; `short` and `stalls` are handled where they make sense. */
const throws = (one) => one !== undefined && one.fault !== "short" && one.fault !== "stalls";

/** Node's own loader reads programs by the same functions. */
const isProgram = (path) => /\.(?:[cm]?js|ts)$|package\.json$/.test(String(path));
/** Their descriptors. */
const programs = new Set();

const WRITES = new Set(["write", "writev", "writeFile", "appendFile"]);

function wrapAsync(object, name, call) {
  const original = object[name];
  object[name] = async function (...args) {
    const one = due(call);
    if (throws(one)) throw failure(one, call);
    if (one?.fault === "stalls") await new Promise((resolve) => setTimeout(resolve, 300));
    // A short read or write does part of what was asked, as the system may.
    if (one?.fault === "short" && (name === "read" || name === "write") && ArrayBuffer.isView(args[0])) {
      const [buffer, offset = 0, length = buffer.byteLength - offset, ...rest] = args;
      return original.call(this, buffer, offset, Math.max(1, length >> 1), ...rest);
    }
    return original.apply(this, args);
  };
}

function wrapSync(name, call) {
  const original = fs[name];
  fs[name] = function (...args) {
    const isOutput = WRITES.has(call) && (args[0] === 1 || args[0] === 2);
    const one = isOutput || isProgram(args[0]) || programs.has(args[0]) ? undefined : due(call);
    if (throws(one)) throw failure(one, call);
    const result = original.apply(this, args);
    if (name === "openSync") programs[isProgram(args[0]) ? "add" : "delete"](result);
    return result;
  };
  if (original.native) fs[name].native = original.native;
}

const handle = await fsPromises.open(new URL(import.meta.url));
const handles = Object.getPrototypeOf(handle);
await handle.close();
for (const name of [
  "read",
  "write",
  "writev",
  "sync",
  "datasync",
  "truncate",
  "stat",
  "writeFile",
  "appendFile",
  "readFile",
])
  wrapAsync(handles, name, name);
for (const name of [
  "open",
  "rename",
  "rm",
  "unlink",
  "mkdir",
  "readdir",
  "stat",
  "readFile",
  "writeFile",
  "appendFile",
  "link",
  "truncate",
])
  wrapAsync(fsPromises, name, name);
for (const [name, call] of [
  ["openSync", "open"],
  ["writeSync", "write"],
  ["readSync", "read"],
  ["fsyncSync", "sync"],
  ["renameSync", "rename"],
  ["mkdirSync", "mkdir"],
  ["appendFileSync", "appendFile"],
  ["writeFileSync", "writeFile"],
])
  wrapSync(name, call);
syncBuiltinESMExports();

const realFetch = globalThis.fetch;
globalThis.fetch = async (...args) => {
  const one = due("fetch");
  if (throws(one)) throw new TypeError("fetch failed", { cause: failure(one, "fetch") });
  if (one?.fault === "stalls") await new Promise((resolve) => setTimeout(resolve, 300));
  const response = await realFetch(...args);
  if (one?.fault !== "short" || !response.body) return response;
  let left = 1000;
  const cut = new TransformStream({
    transform(chunk, controller) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (part.length > 0) controller.enqueue(part);
      if (left === 0) controller.error(new TypeError("terminated"));
    },
  });
  return new Response(response.body.pipeThrough(cut), response);
};

const realNow = Date.now;
let shift = 0;
Date.now = () => {
  const one = due("clock");
  if (one) shift = (one.fault === "back" ? -1 : 1) * 3_600_000 * 24;
  return realNow() + shift;
};

process.on("exit", () => {
  if (process.env.NIBBLE_FAULT_COUNTS) fs.writeFileSync(process.env.NIBBLE_FAULT_COUNTS, JSON.stringify(counts));
});
