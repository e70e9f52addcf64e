// V8 rebuilds a v128.const at each use and does not hoist it: 2.2 times slower (reference/platforms.md 4.4). So the
// loops of products and attention may hold none but zero, which is one instruction.
import { expect, it } from "vitest";
import { wasmText } from "../helpers/wasm-builds.ts";

/** The text of each function of a module. */
function functions(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^ \(func (\$\S+)[\s\S]*?^ \)/gm)].map(([body, name]) => [name!, body]));
}

/** What lies inside loops: from the first `loop` to the end of the function, which has only stores after it. */
const loops = (body: string): string => body.slice(body.indexOf(" loop "));

it.each(["simd", "relaxed", "threads"] as const)("%s: no constant vector but zero in hot loops", (name) => {
  const all = functions(wasmText(name));
  const hot = [...all].filter(
    ([key, body]) =>
      /kernels\/(matmul-.*\/gemv|tile\/tile|attention\/(page|addValuesI8)$)/.test(key) && body.includes(" loop "),
  );
  const names = new Set(hot.map(([key]) => key.replace(/^[^/]*\/kernels\/|<.*/g, "")));
  expect([...names].sort()).toEqual(
    ["attention/addValuesI8", "attention/page", "matmul-codes/gemv", "matmul-float/gemvFloat"].concat([
      "matmul-levels/gemvLevels",
      "matmul-q4/gemv",
      "matmul-q8/gemvQ8",
      "tile/tileDigits",
      "tile/tileI16",
    ]),
  );
  for (const [key, body] of hot) {
    const constants = loops(body).match(/v128\.const .*/g) ?? [];
    expect(
      constants.filter((constant) => /0x0*[1-9a-f]/.test(constant)),
      key,
    ).toEqual([]);
  }
});
