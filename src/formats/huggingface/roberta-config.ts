/**
 * RoBERTa and XLM-RoBERTa (transformers, models/roberta/modeling_roberta.py): BERT with other tokenizers, whose table of
 * positions begins with rows that no token of a text uses.
 * @module
 */
import { NibbleError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { TensorInfo } from "../checkpoint.ts";
import { getNumber } from "../typed-values.ts";
import { bertFamily } from "./bert-config.ts";
import type { Family } from "./family.ts";

export const robertaFamily: Family = {
  ...bertFamily,
  prefix: "roberta.",
  modelTensors: new Map([
    ...[...bertFamily.modelTensors!].filter(([name]) => !/^(classifier|pooler)\./.test(name)),
    ["classifier.dense.weight", "cls.weight"],
    ["classifier.dense.bias", "cls.bias"],
    ["classifier.out_proj.weight", "cls.output.weight"],
    ["classifier.out_proj.bias", "cls.output.bias"],
  ]),
  // Positions are numbered from 0 anyway; the head of the pre-training makes no embeddings, and classifiers have no pooler.
  unusedTensors: /^embeddings\.position_ids$|^(lm_head|pooler)\./,
  variant(config) {
    const unused = unusedRows(config);
    return { toGguf: (info) => (info.name === "position_embd.weight" ? withoutFirstRows(info, unused) : info) };
  },
  addFacts(config, put, layers) {
    bertFamily.addFacts!(config, put, layers);
    const { max_position_embeddings: missing } = bertFamily.defaults;
    const rows = getNumber(config, "max_position_embeddings", { default: missing, integer: true, min: 1 });
    const unused = unusedRows(config);
    if (rows <= unused)
      throw new NibbleError(
        "bad_value",
        `config.json max_position_embeddings: expected more than the ${unused} rows up to pad_token_id, got ${rows}`,
      );
    put("{a}.context_length", rows - unused);
  },
};

/** The position of a text's first token is `pad_token_id + 1`. */
function unusedRows(config: JsonObject): number {
  return getNumber(config, "pad_token_id", { default: 1, integer: true, min: 0, max: 2 ** 31 - 1 }) + 1;
}

/** A matrix without its first rows, as llama.cpp's converter writes it. @throws NibbleError `bad_shape` */
function withoutFirstRows(info: TensorInfo, count: number): TensorInfo {
  const [rows = 0, ...rest] = info.shape;
  if (rows <= count)
    throw new NibbleError("bad_shape", `tensor ${info.name}: expected more than ${count} rows, got [${info.shape}]`);
  const skipped = (info.byteLength / rows) * count;
  return {
    ...info,
    shape: [rows - count, ...rest],
    offset: info.offset + skipped,
    byteLength: info.byteLength - skipped,
  };
}
