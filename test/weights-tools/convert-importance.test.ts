import { describe, expect, it } from "vitest";
import type { Checkpoint } from "../../src/formats/checkpoint.ts";
import type { ConvertOptions } from "../../weights-tools/convert.ts";
import { converted, crumb, values } from "./helpers.ts";

describe("with importance", () => {
  it("says where the importance came from, as llama.cpp does", async () => {
    const importance = new Map([["blk.2.ffn_up.weight", new Float32Array(192).fill(1)]]);
    const origin = { file: "imatrix.gguf", dataset: "text.txt", entryCount: 1, chunkCount: 3 };
    const keys = async (importanceOrigin: ConvertOptions["importanceOrigin"], source: Checkpoint) => {
      const options: ConvertOptions = { type: "q4_0", importance, ...(importanceOrigin && { importanceOrigin }) };
      return converted(source, options).then(({ checkpoint }) =>
        [...checkpoint.metadata].filter(([key]) => key.startsWith("quantize.")),
      );
    };
    const all = [
      ["quantize.imatrix.file", "imatrix.gguf"],
      ["quantize.imatrix.dataset", "text.txt"],
      ["quantize.imatrix.entries_count", 1],
      ["quantize.imatrix.chunks_count", 3],
    ];
    expect(await keys(origin, await crumb())).toEqual(all);
    const first = (await converted(await crumb(), { type: "q8_0", importance, importanceOrigin: origin })).checkpoint;
    const second = { file: "other.gguf", dataset: undefined, entryCount: 1, chunkCount: undefined };
    expect(await keys(second, await crumb())).toEqual([
      ["quantize.imatrix.file", "other.gguf"],
      ["quantize.imatrix.entries_count", 1],
    ]);
    expect(await keys(undefined, first)).toEqual(all);
    expect(await keys(undefined, await crumb())).toEqual([]);
  });

  /** Only the first column of a block has importance: its error must become smaller. The others are not checked. */
  const columns = 192;
  const first = Float32Array.from({ length: columns }, (_, i) => (i % 32 === 0 ? 1 : 1e-6));
  const name = "blk.2.ffn_up.weight";
  const rms = async (checkpoint: Checkpoint): Promise<number> => {
    const [before, after] = [
      await values((await crumb()).tensors.get(name)!),
      await values(checkpoint.tensors.get(name)!),
    ];
    return Math.hypot(...Array.from(before, (value, i) => (i % 32 === 0 ? value - after[i]! : 0)));
  };

  it.each([4096, 5_000, 4 * 2 ** 20])("column by column, in chunks of %i bytes", async (chunkBytes) => {
    const importance = new Map([[name, first]]);
    const plain = await converted(await crumb(), { type: "q4_0" });
    const { checkpoint, report } = await converted(await crumb(), { type: "q4_0", importance, chunkBytes });
    expect(await rms(checkpoint)).toBeLessThan((await rms(plain.checkpoint)) / 3);
    expect(report.notes).toEqual([expect.stringMatching(/^quantised without importance: token_embd\.weight, /)]);
    expect(report.notes[0]).not.toContain(name);
    for (const tensor of report.tensors)
      if (tensor.name !== name)
        expect(tensor.rmse).toBeCloseTo(plain.report.tensors.find((other) => other.name === tensor.name)!.rmse, 12);
  });

  it.each([
    ["of another model", new Map([["blk.9.ffn_up.weight", first]]), /none of its names is a matrix of this model/],
    ["of other columns", new Map([[name, first.subarray(1)]]), /blk\.2\.ffn_up\.weight: expected 192 columns, got 191/],
    [
      "that is negative",
      new Map([[name, first.map((x) => -x)]]),
      /tensor blk\.2\.ffn_up\.weight: .* got -1 at column 0/,
    ],
  ])("refuses one %s", async (_, importance, message) => {
    await expect(converted(await crumb(), { type: "q4_0", importance })).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringMatching(message),
    });
  });
});
