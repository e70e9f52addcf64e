/**
 * V8's revectorizer (`--experimental-wasm-revectorize`), which joins pairs of operations of 128 bits to one of 256 bits.
 * V8 has it from Node 22 on. The V8 of Node 24 packs the kernels; the later ones end the process with them.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { Build } from "../../runtime/kernels.ts";
import { SELF_CHECK, selfCheck } from "../../runtime/self-check.ts";

const FLAG = "experimental-wasm-revectorize";
const LEAST_NODE = 24;
/**
 * Releases of V8 that pack the kernels: that of Node 24. Those of Node 25 and 26 end the process in the self-check. 14.1
 * says "Check failed: function_feedback != feedback.feedback_for_function.end()", unless it was started with
 * `--no-wasm-inlining`; with that, 14.6 still reaches "unreachable code" below a pair of `f32x4.convert_i32x4_s`. Another
 * release joins the list when test/slow/hosts passes on it with `revectorize: true`.
 */
const GOOD_V8 = /^13\.6\./;

/** Whether this is Node 24 or later. (Deno and Bun also have `process.versions.node`.) */
function hasRevectorizer(): boolean {
  const { process, Deno, Bun } = globalThis as { process?: NodeJS.Process; Deno?: unknown; Bun?: unknown };
  if (Deno !== undefined || Bun !== undefined || !process?.versions?.v8) return false;
  return Number.parseInt(process.versions.node, 10) >= LEAST_NODE;
}

/** Whether this is a Node whose V8 packs the kernels. */
export function canRevectorize(): boolean {
  return hasRevectorizer() && GOOD_V8.test(process.versions.v8);
}

/**
 * Compiles a build with the revectorizer, and runs its hot kernels on known data. V8 compiles a function when it is first
 * called, so those kernels are compiled while the flag is set; afterwards it is taken back, and other modules of the
 * process are compiled as before. The module keeps its machine code, for the helping threads too.
 * @param bytes the build
 * @returns undefined if a bit of the results differs from what every other build gives, or if this V8 cannot pack them
 * @throws NibbleError `unsupported_host` before Node 24, and where the engine is not Node's
 */
export async function compileRevectorized(
  build: Build,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<WebAssembly.Module | undefined> {
  if (!hasRevectorizer())
    throw new NibbleError("unsupported_host", `revectorize: it requires Node ${LEAST_NODE} or later`, {
      param: "revectorize",
    });
  if (!canRevectorize()) return undefined;
  const { setFlagsFromString } = await import("node:v8");
  const given = `${process.execArgv.join(" ")} ${process.env.NODE_OPTIONS ?? ""}`.includes(FLAG);
  const module = await WebAssembly.compile(withMark(bytes));
  const check = await selfCheck(module, build === "threads");
  // Nothing is awaited while the flags differ: V8 crashes if another module's functions are compiled without inlining first
  // and with it later.
  setFlagsFromString(`--${FLAG}`);
  setFlagsFromString("--no-liftoff"); // the optimising compiler compiles at the first call, so it is what is checked
  try {
    return check() === SELF_CHECK ? module : undefined;
  } finally {
    setFlagsFromString("--liftoff");
    if (!given) setFlagsFromString(`--no-${FLAG}`);
  }
}

/** Appends an empty custom section: V8 shares machine code between modules whose bytes are equal. */
function withMark(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(FLAG);
  const marked = new Uint8Array(bytes.length + 3 + name.length);
  marked.set(bytes);
  marked.set([0, name.length + 1, name.length], bytes.length); // section 0, its length, the length of its name
  marked.set(name, bytes.length + 3);
  return marked;
}
