/**
 * The properties of a family of models in transformers.
 * @module
 */
import type { JsonObject } from "../../base/json.ts";
import type { MetadataValue, TensorInfo } from "../checkpoint.ts";

/** How a `model_type` of transformers maps to GGUF. */
export interface Family {
  /** `general.architecture`. */
  readonly architecture: string;
  /** Tensors of a layer: name in `model.layers.N.` to name in `blk.N.`, both without `.weight` or `.bias`. */
  readonly layerTensors: ReadonlyMap<string, string>;
  /** Tensors of a layer whose rows are those of several matrices of `blk.N.` in this order, which have equally many. */
  readonly joinedTensors?: ReadonlyMap<string, readonly string[]>;
  /** Tensors of a layer whose names end without `.weight` and `.bias`, in both containers. */
  readonly parameters?: ReadonlyMap<string, string>;
  /** Names, without the prefix, of tensors outside the layers that other families do not have. */
  readonly modelTensors?: ReadonlyMap<string, string>;
  /** A tensor as a GGUF holds it, where that is not the same. */
  readonly toGguf?: (info: TensorInfo) => TensorInfo;
  /** What the names of all tensors but the head's begin with, or not: files of the model's base class leave it out. */
  readonly prefix?: string;
  /** What the names of layers begin with after the prefix. Default: `layers.`. */
  readonly layers?: string;
  /** Names of tensors, without the prefix, that change nothing. */
  readonly unusedTensors?: RegExp;
  /** Whether it is an encoder like BERT, with LayerNorm and learned positions in place of RMSNorm and RoPE. */
  readonly isEncoder?: boolean;
  /** Whether `is_causal: false` is supported. */
  readonly mayBeBidirectional?: boolean;
  /** What else a config.json may ask for under the same `model_type`. */
  readonly variant?: (config: JsonObject) => Partial<Family>;
  /** Values of missing keys in transformers' configuration class. */
  readonly defaults: {
    readonly rms_norm_eps: number;
    readonly rope_theta: number;
    readonly tie_word_embeddings: boolean;
    readonly max_position_embeddings: number;
    /** Undefined: the key is required. */
    readonly num_attention_heads?: number;
    /** Undefined: the key is required. */
    readonly vocab_size?: number;
    /** Undefined: hidden_size / num_attention_heads. */
    readonly head_dim?: number;
    /** Undefined: num_attention_heads. */
    readonly num_key_value_heads?: number;
    /** The width of the feed-forward layer. Undefined: the key is required. */
    readonly feed_forward?: number;
    /** The part of a head that RoPE rotates. Undefined: all of it, and the key is refused. */
    readonly partial_rotary_factor?: number;
  };
  /** Config key of the width of the (dense) feed-forward layer. */
  readonly feedForward: string;
  /** Config key of what norms add to the mean of squares. Default: `rms_norm_eps`. */
  readonly epsilon?: string;
  /** Config key and name of the activation. Undefined: `hidden_act`, `silu`. */
  readonly activation?: { readonly key: string; readonly name: string };
  /** Whether `rope_parameters` has an object for each type of layers. */
  readonly ropeByLayerType?: boolean;
  /** The parameters of RoPE where config.json has none in either spelling. Undefined: RoPE without scaling. */
  readonly ropeDefaults?: JsonObject;
  /** A config key that ties the embeddings as `tie_word_embeddings` does. */
  readonly tiedKey?: string;
  /** Whether norms multiply with 1 + w. GGUF stores that sum. */
  readonly normsAddOne?: boolean;
  /** Names of the projections that have a bias whatever config.json says, such as `attn_q`. */
  readonly biased?: readonly string[];
  /** Config keys that say whether the projections of attention and feed-forward have biases. Default: `biasKeys`. */
  readonly biasKeys?: BiasKeys;
  /** Config keys that transformers' class of this family ignores, or that only describe how it was trained. */
  readonly unusedKeys?: readonly string[];
  /** Adds the metadata keys that only this family has, and checks their values. */
  readonly addFacts?: (config: JsonObject, put: Put, layers: number) => void;
}

/** Config keys of biases. A missing key stands for false, and so does a kind without a key. */
export interface BiasKeys {
  readonly attention?: string;
  readonly feedForward?: string;
  readonly convolution?: string;
}

/** The names that most families have for them. */
export const biasKeys: BiasKeys = { attention: "attention_bias", feedForward: "mlp_bias" };

/** Sets a metadata key; `{a}` stands for the architecture. */
export type Put = (key: string, value: MetadataValue) => void;
