/**
 * Programs that try to get out. Each one runs to its end, and so passes, only where its attempt worked; what it would have
 * done is looked for outside as well: connections, files, processes, memory.
 */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CHILD, NODES, type Outcome, runJobs, script } from "./jobs.ts";

const folder = mkdtempSync(join(tmpdir(), "nibble-escapes-"));
const secret = join(folder, "secret");
writeFileSync(secret, "the secret");
const written = join(folder, "written");
/** A name by which a process that a program started would be found. */
const MARK = "8675309";

let contacts = 0;
const server = createServer((socket) => {
  contacts++;
  socket.on("error", () => {});
  socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
});
const datagrams = createSocket("udp4", () => contacts++);
let port = 0;
let udpPort = 0;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => datagrams.bind(0, "127.0.0.1", resolve));
  port = (server.address() as { port: number }).port;
  udpPort = datagrams.address().port;
});
afterAll(() => {
  server.close();
  datagrams.close();
  rmSync(folder, { recursive: true });
});

/** Ways to JavaScript: expressions whose value is an object of it. The first that exists is `found`. */
const JAVASCRIPT = `
import gc, importlib, sys
def ways():
    yield lambda: __import__("js")
    yield lambda: __import__("pyodide_js")
    yield lambda: __import__("_pyodide_core")
    def fresh(name):
        for known in [one for one in sys.modules if one.split(".")[0] in ("js", "pyodide_js", "pyodide", "_pyodide", "_pyodide_core")]:
            del sys.modules[known]
        return importlib.import_module(name)
    for name in ("js", "pyodide_js", "_pyodide_core", "pyodide.code", "pyodide.ffi"):
        yield lambda: fresh(name)
    yield lambda: [one for one in gc.get_objects() if type(one).__name__.startswith("Js")][0]
    yield lambda: [value for one in gc.get_objects() if isinstance(one, dict) for value in list(one.values()) if type(value).__name__.startswith("Js")][0]
found = []
for way in ways():
    try:
        found.append(way())
    except BaseException:
        pass
`;

const FILES = () => ({
  open: `assert open(${JSON.stringify(secret)}).read() == "the secret"`,
  "os.open": `import os\nassert os.read(os.open(${JSON.stringify(secret)}, os.O_RDONLY), 10)`,
  listdir: `import os\nassert "secret" in os.listdir(${JSON.stringify(folder)})`,
  write: `open(${JSON.stringify(written)}, "w").write("x")`,
  "NODEFS by pyodide_js": `import sys\nsys.modules.pop("pyodide_js", None)\nimport pyodide_js\npyodide_js.FS.mount(pyodide_js.FS.filesystems.NODEFS, {"root": "/"}, "/mnt")\nassert open("/mnt" + ${JSON.stringify(secret)}).read()`,
  "every way to JavaScript": `${JAVASCRIPT}\nfor one in found:\n    fs = one.FS if hasattr(one, "FS") else one._module.FS\n    fs.mount(fs.filesystems.NODEFS, {"root": "/"}, "/mnt")\nassert open("/mnt" + ${JSON.stringify(secret)}).read()`,
});

const PROCESSES = {
  "os.system": `import importlib, os\nimportlib.reload(os)\nassert os.system("touch ${written}") == 0`,
  "os.popen": `import importlib, os, subprocess\nimportlib.reload(subprocess)\nassert os.popen("echo hi").read() == "hi\\n"`,
  posix: `import posix\nassert posix.system("sleep ${MARK} &") == 0`,
  subprocess: `import importlib, subprocess\nimportlib.reload(subprocess)\nassert subprocess.run(["echo", "hi"], capture_output=True).stdout`,
  execv: `import os\nos.execv("/bin/sleep", ["sleep", "${MARK}"])`,
  fork: `import importlib, os\nimportlib.reload(os)\nassert os.fork() >= 0`,
  multiprocessing: `import multiprocessing\np = multiprocessing.Process(target=print)\np.start()\np.join()`,
  ctypes: `import ctypes\nassert ctypes.CDLL(None).system(b"touch ${written}") == 0`,
  "another interpreter": `import sys\nassert sys.executable and open(sys.executable, "rb").read(4)`,
};

const NETWORK = () => ({
  socket: `import socket\ns = socket.create_connection(("127.0.0.1", ${port}))\ns.sendall(b"x")\nassert s.recv(10)`,
  "socket without a reply": `import socket\ns = socket.socket()\ns.connect(("127.0.0.1", ${port}))\nassert s.send(b"x")\ns.getpeername()\nassert s.recv(10)`,
  udp: `import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.sendto(b"x", ("127.0.0.1", ${udpPort}))\nassert s.recv(10)`,
  listen: `import socket\ns = socket.socket()\ns.bind(("127.0.0.1", 0))\ns.listen()\ns.accept()`,
  urllib: `import urllib.request\nassert urllib.request.urlopen("http://127.0.0.1:${port}/", timeout=1).read()`,
  "http.client": `import http.client\nc = http.client.HTTPConnection("127.0.0.1", ${port}, timeout=1)\nc.request("GET", "/")\nassert c.getresponse().read()`,
  "pyodide.http": `from pyodide.http import open_url\nassert open_url("http://127.0.0.1:${port}/").read()`,
  "js.fetch": `import js\nassert js.fetch("http://127.0.0.1:${port}/")`,
  "loadPackage from a URL": `${JAVASCRIPT}\nfor one in found:\n    one.loadPackage("http://127.0.0.1:${port}/a.whl")\nraise SystemExit`,
  "a socket by JavaScript": `${JAVASCRIPT}\nassert any(hasattr(one, "WebSocket") and one.WebSocket.new("ws://127.0.0.1:${port}/") for one in found)`,
});

const CODE = {
  "a function from a text": `${JAVASCRIPT}\nmade = False\nfor one in found:\n    for name in dir(one):\n        try:\n            value = getattr(one, name).constructor.new("return typeof process")\n            made = made or value() == "object"\n        except Exception:\n            pass\nassert made`,
  "js.process": `import js\nassert js.process.pid`,
  run_js: `from pyodide.code import run_js\nassert run_js("1 + 1") == 2`,
  "environment variables": `import os\nassert any("let me out" in value for value in os.environ.values())`,
};

/** Programs that end what they run in, or say that they passed. */
const ENDINGS = {
  "os._exit": "import os\nos._exit(0)",
  "os.abort": "import os\nos.abort()",
  "sys.exit": "import sys\nsys.exit(0)",
  "an interrupt": "raise KeyboardInterrupt",
  "a null pointer": "import ctypes\nctypes.string_at(0)\nctypes.memset(0, 1, 10 ** 9)",
  "a forged result": `import os, sys, time\nline = b'\\n{"type":"result","reason":"","testsPassed":0}\\n'\nfor fd in range(9):\n    try:\n        os.write(fd, line)\n    except OSError:\n        pass\nsys.__stdout__.write(line.decode())\nsys.__stdout__.flush()\ntime.sleep(60)`,
  "a recursion in C":
    "f = lambda: None\nfor _ in range(10 ** 6):\n    f = __import__('functools').partial(f)\nf()\nassert False",
};

const TIME = {
  "an endless loop": "while True: pass",
  "a loop that catches all": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
  sleep: "import time\ntime.sleep(60)",
  "a loop in C": "sum(range(10 ** 12))",
  "a power": "len(str(7 ** 10 ** 8))",
  "a regular expression": "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
};

const MEMORY = {
  "an endless print": "while True: print('x' * 10 ** 6)",
  bytearray: "a = []\nwhile True: a.append(bytearray(10 ** 8))",
  list: "a = [0] * 10 ** 9\nassert len(a) == 10 ** 9",
  text: "a = 'x'\nwhile True: a += a",
  "buffers of JavaScript": `${JAVASCRIPT}\nfrom pyodide.ffi import to_js\na = []\nfor _ in range(100): a.append(to_js(bytes(10 ** 8)))`,
  "as many MiB as there are": `got = []\ntry:\n    while True: got.append(bytearray(2 ** 20))\nexcept MemoryError:\n    size = len(got)\n    del got\n    raise RuntimeError(size)`,
};

async function attempts(node: string, programs: Readonly<Record<string, string>>): Promise<Outcome> {
  const { results, ...outcome } = await runJobs(
    node,
    Object.values(programs).map((source) => script(source)),
    { NIBBLE_TEST_SECRET: "let me out" },
  );
  const passed = Object.keys(programs).filter((_, i) => results[i]!.passed);
  expect(passed).toEqual([]);
  return { results, ...outcome };
}

// Programs that wait for the end of their time leave the machine to those of the other Node. Each test looks for traces that
// none of them may leave.
it.concurrent.each(NODES)("files, on %s", async (node) => {
  await attempts(node, FILES());
  expect(readdirSync(folder)).toEqual(["secret"]);
});

it.concurrent.each(NODES)("processes, on %s", async (node) => {
  await attempts(node, PROCESSES);
  expect(existsSync(written)).toBe(false);
  expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain(`sleep ${MARK}`);
});

it.concurrent.each(NODES)("network, on %s", async (node) => {
  await attempts(node, NETWORK());
  expect(contacts).toBe(0);
});

it.concurrent.each(NODES)("JavaScript and the environment, on %s", async (node) => {
  await attempts(node, CODE);
});

it.concurrent.each(NODES)("endings, on %s", async (node) => {
  await attempts(node, ENDINGS);
});

it.concurrent.each(NODES)("time, on %s", async (node) => {
  const { results } = await attempts(node, TIME);
  expect(results.map(({ reason }) => reason)).toEqual(results.map(() => "timed out"));
});

it.each(NODES)("memory, on %s", async (node) => {
  const { results, peakBytes } = await attempts(node, MEMORY);
  // How much a program gets is the same on every machine: WebAssembly's memory is capped at 512 MiB, of which Python takes some.
  const mebibytes = Number(/^RuntimeError: (\d+)$/.exec(results.at(-1)!.reason)?.[1]);
  expect(mebibytes, results.at(-1)!.reason).toBeGreaterThan(256);
  expect(mebibytes).toBeLessThan(512);
  // Nothing of it comes to the process that runs programs: each of these would add 512 MiB or more. The peak is that of its
  // start, about 120 MB, and of garbage, which the engine collects when it likes.
  const { peakBytes: idleBytes } = await runJobs(node, [script("pass")]);
  expect(peakBytes).toBeLessThan(idleBytes + 2 ** 28);
});

it.concurrent.each(NODES)("one program does not see another, on %s", async (node) => {
  const leave = `import builtins, sys, types
builtins.left = sys.left = 1
sys.modules["left"] = types.ModuleType("left")
open("/tmp/left", "w").write("x")
import random, math
random.random = lambda: 4
math.pi = 3`;
  const look = `import builtins, math, os, random, sys
assert not hasattr(builtins, "left") and not hasattr(sys, "left") and "left" not in sys.modules
assert not os.path.exists("/tmp/left") and math.pi > 3.1 and random.random() != 4 and len([1]) == 1`;
  const jobs = [leave, look, "import builtins\nbuiltins.len = lambda x: 99", look, leave, look].map((one) =>
    script(one),
  );
  const { results } = await runJobs(node, jobs);
  expect(results.map(({ passed }) => passed)).toEqual([true, true, false, true, true, true]);
});

it("no process is left", () => {
  const running = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
  expect(running).not.toContain(CHILD);
});
