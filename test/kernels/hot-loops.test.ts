// V8 rebuilds a v128.const at each use and does not hoist it out of a loop: decode was 2.2 times slower with one. So
// the loops of matmuls and attention may hold none but zero, which is one instruction.
import { expect, it } from "vitest";
import { wasmText } from "../helpers/wasm-builds.ts";

/** Functions whose loops are hot, by the end of their names in the text format. */
const HOT = [
  "attention/addPage",
  "attention/exponentiate",
  "attention/valueTile",
  "matmul/multiply",
  "matmul/rowCodes",
  "matmul/matmulRowFloat",
  "matmul/matmulRowLevels",
  "matmul/matmulRowQ8",
];

/** The text of each function of a module, by its folder and name. */
function functions(text: string): readonly (readonly [name: string, body: string])[] {
  return [...text.matchAll(/^ \(func (\$\S+)[\s\S]*?^ \)/gm)].map(([body, name]) => {
    const parts = name!.replace(/<.*/, "").split("/");
    return [`${parts.at(-3)}/${parts.at(-1)}`, body] as const;
  });
}

/**
 * The text of the loops: from the first `loop` to the end of the function, because only stores follow the last loop.
 */
const loops = (body: string): string => body.slice(body.indexOf(" loop "));

it.each(["simd", "relaxed", "threads"] as const)("%s: no constant vector but zero in hot loops", (name) => {
  const hot = functions(wasmText(name)).filter(([key, body]) => HOT.includes(key) && body.includes(" loop "));
  expect(new Set(hot.map(([key]) => key))).toEqual(new Set(HOT));
  for (const [key, body] of hot) {
    const constants = loops(body).match(/v128\.const .*/g) ?? [];
    expect(
      constants.filter((constant) => /0x0*[1-9a-f]/.test(constant)),
      key,
    ).toEqual([]);
  }
});
