/** Gemma 3 270M, pretrained (Q4_K_M: Q5_0, Q8_0, Q4_K, Q6_K), against the float reference. The file has no chat template. */
import { describeRealModel, fetchOrSkip } from "../helpers/real-model.ts";

/** llama.cpp takes the tag </s>, a user-defined token of Gemma, for a control token because of its spelling. */
const tokenizedOtherwise = ["</s> [INST] x [/INST]"];
const name = "gemma-3-270m-q4_k_m";
describeRealModel(name, await fetchOrSkip(name, true), {
  nll: 0.01,
  argmax: 0.95,
  template: false,
  tokenizedOtherwise,
});
