/**
 * Loaded into a process before its program (`node --import`): makes calls of the file system, the network and the clock fail
 * as NIBBLE_FAULTS says, a JSON list of `{ call, number, fault, forever }`; `kill` ends the process before the call. Counts
 * every kind of call, and writes the counts to NIBBLE_FAULT_COUNTS at the end, so that the campaign knows how many there are.
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

const stall = () => new Promise((resolve) => setTimeout(resolve, 300));

/** The process ends at once, and its call never happens. */
function end() {
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Makes the call fail, if it has such a fault. @returns the fault, if any */
function disturb(call) {
  const one = due(call);
  if (one?.fault === "kill") end();
  if (throws(one)) throw failure(one, call);
  return one;
}

const SHORT = new Set(["read", "write", "readSync", "writeSync"]);

/** The arguments of a call. A short read or write, (buffer, offset, length, ...), does part of what was asked, as the system may. */
function argumentsOf(name, args, fault) {
  if (fault?.fault !== "short" || !SHORT.has(name)) return args;
  const at = args.findIndex((arg) => ArrayBuffer.isView(arg));
  if (at < 0) return args;
  const [offset = 0, length = args[at].byteLength - offset] = args.slice(at + 1);
  return [...args.slice(0, at + 1), offset, Math.max(1, length >> 1), ...args.slice(at + 3)];
}

function wrapAsync(object, name) {
  const original = object[name];
  object[name] = async function (...args) {
    let one;
    try {
      one = disturb(name);
    } catch (error) {
      // On a full disk a file can be made, and nothing is written to it.
      if (error.code === "ENOSPC" && object === fsPromises && name === "writeFile")
        await original.call(this, args[0], "", args[2]);
      throw error;
    }
    if (one?.fault === "stalls") await stall();
    return original.apply(this, argumentsOf(name, args, one));
  };
}

/** Whether a call reads a program, or the terminal's streams. */
function isExempt(first, call) {
  if (typeof first === "number") return programs.has(first) || (first <= 2 && (first > 0 || !WRITES.has(call)));
  return isProgram(first);
}

function wrapSync(name, call) {
  const original = fs[name];
  fs[name] = function (...args) {
    const one = isExempt(args[0], call) ? undefined : disturb(call);
    const result = original.apply(this, argumentsOf(name, args, one));
    if (name === "openSync") programs[isProgram(args[0]) ? "add" : "delete"](result);
    return result;
  };
  if (original.native) fs[name].native = original.native;
}

/** Calls with a callback: streams of files make them. */
function wrapCallback(name) {
  const original = fs[name];
  fs[name] = function (...args) {
    if (isExempt(args[0], name)) return original.apply(this, args);
    let one;
    try {
      one = disturb(name);
    } catch (error) {
      return process.nextTick(args.at(-1), error);
    }
    const go = () => original.apply(this, argumentsOf(name, args, one));
    return one?.fault === "stalls" ? void stall().then(go) : go();
  };
}

/** `existsSync` never throws: a path that the system cannot look at is none to it. */
function wrapExists() {
  const original = fs.existsSync;
  fs.existsSync = (path) => {
    if (isProgram(path)) return original(path);
    try {
      disturb("stat");
    } catch {
      return false;
    }
    return original(path);
  };
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
  wrapAsync(handles, name);
/** Calls with a path, which are disturbed in both forms. */
const BY_PATH = [
  ...["open", "rename", "rm", "unlink", "mkdir", "readdir", "stat", "lstat", "readlink", "realpath", "access"],
  ...["readFile", "writeFile", "appendFile"],
];
for (const name of [...BY_PATH, "link", "truncate"]) wrapAsync(fsPromises, name);
for (const call of [...BY_PATH, "write", "read", "fsync", "mkdtemp"])
  wrapSync(`${call}Sync`, call === "fsync" ? "sync" : call);
for (const name of ["open", "read"]) wrapCallback(name);
wrapExists();
syncBuiltinESMExports();

const realFetch = globalThis.fetch;
globalThis.fetch = async (...args) => {
  const one = due("fetch");
  if (one?.fault === "kill") end();
  if (throws(one)) throw new TypeError("fetch failed", { cause: failure(one, "fetch") });
  if (one?.fault === "stalls") await stall();
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
