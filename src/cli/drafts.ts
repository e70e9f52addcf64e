/**
 * Drafts, by llama.cpp's flags: the draft model, and how many tokens are drafted.
 * @module
 */
import { DRAFT_MAX, DRAFT_MIN, DRAFT_P_MIN } from "../engine/sample/defaults.ts";
import type { LoadOptions } from "../load/options.ts";
import { type Flag, number, text, type Values } from "./flags.ts";
import { ensurePulled } from "./model.ts";

interface DraftFlags {
  readonly [name: string]: Flag<unknown>;
  readonly modelDraft: Flag<string>;
  readonly draftMax: Flag<number>;
  readonly draftMin: Flag<number>;
  readonly draftPMin: Flag<number>;
}

const COUNT = { min: 0, max: 1024, integer: true };

export const modelDraftFlag: Flag<string> = text(
  "-md, --model-draft, --spec-draft-model",
  "MODEL",
  "a smaller model with the same vocabulary, whose drafts the model checks many tokens at a time",
);

export const draftFlags: DraftFlags = {
  modelDraft: modelDraftFlag,
  draftMax: number(
    "--draft-max, --draft, --draft-n, --spec-draft-n-max",
    "N",
    COUNT,
    `most tokens per step that are drafted, from earlier text, by a grammar or by -md (default ${DRAFT_MAX}; 0: none)`,
  ),
  draftMin: number(
    "--draft-min, --draft-n-min, --spec-draft-n-min",
    "N",
    COUNT,
    `fewest tokens of a draft; shorter ones are not used (default ${DRAFT_MIN})`,
  ),
  draftPMin: number(
    "--draft-p-min, --spec-draft-p-min",
    "P",
    { min: 0, max: 1 },
    `the probability below which a guess of -md ends a draft (default ${DRAFT_P_MIN})`,
  ),
};

/** The draft model to load, which is pulled first if need be. */
export async function draftOptions({ modelDraft }: Partial<Values<DraftFlags>>): Promise<Pick<LoadOptions, "draft">> {
  if (modelDraft === undefined) return {};
  await ensurePulled(modelDraft);
  return { draft: modelDraft };
}
