/** Qwen2.5-Coder-0.5B-Instruct (Q4_K_M: Q5_0, Q8_0, Q4_K, Q6_K) against the float reference. */
import { describeRealModel, fetchOrSkip } from "../helpers/real-model.ts";

/** llama.cpp applies no NFC, and takes the ordinary entry </s> for a control token. */
const tokenizedOtherwise = ["cafe\u0301 (combining acute)", "</s> [INST] x [/INST]"];
const name = "qwen2.5-coder-0.5b-instruct-q4_k_m";
describeRealModel(name, await fetchOrSkip(name, true), { nll: 0.01, argmax: 0.95, template: true, tokenizedOtherwise });
