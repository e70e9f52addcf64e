/**
 * The rule of keys on published models: every key of their config.json is read or known to change nothing. The values are
 * those of the models' pages on Hugging Face.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseJsonObject } from "../../src/base/json.ts";
import { translateConfig } from "../../src/formats/huggingface/config.ts";
import { families } from "../../src/formats/huggingface/families.ts";

type Config = Record<string, unknown> & { model_type: string; text_config?: { model_type: string } };
const configs: Record<string, Config> = JSON.parse(
  readFileSync(new URL("../fixtures/public-configs.json", import.meta.url), "utf8"),
);
const typeOf = (config: Config): string => config.text_config?.model_type ?? config.model_type;
const translate = (config: unknown) => translateConfig(parseJsonObject(JSON.stringify(config)), undefined);

describe("public configs", () => {
  it.each(Object.entries(configs).filter(([, config]) => families.has(typeOf(config))))("%s is read", (_, config) => {
    expect(translate(config).metadata.get("general.architecture")).toBe(families.get(typeOf(config))!.architecture);
  });

  it("most of them are of families that this version has", () => {
    const read = Object.values(configs).filter((config) => families.has(typeOf(config)));
    expect(read.length).toBeGreaterThan(16);
  });
});
