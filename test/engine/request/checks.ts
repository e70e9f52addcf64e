/**
 * The checks of requests, for a model with 300 tokens and a context of 64.
 * @module
 */
import { Grammars } from "../../../src/engine/constrain/grammars.ts";
import { checkChatRequest } from "../../../src/engine/request/chat.ts";
import { checkCompletionRequest } from "../../../src/engine/request/completion.ts";
import { SAMPLING_DEFAULTS } from "../../../src/engine/sample/defaults.ts";
import { FakeTokenizer } from "../../helpers/fake-tokenizer.ts";

const grammars = new Grammars(new FakeTokenizer());
const facts = { vocabSize: 300, contextLength: 64, endIds: new Set([257]), defaults: SAMPLING_DEFAULTS };
const encode = (text: string) => new FakeTokenizer().encode(text, { addBos: false });
export const context = { ...facts, grammars, encode, adapters: [] };
export const messages = [{ role: "user", content: "hi" }];
export const chat = (fields: object) => checkChatRequest({ messages, ...fields }, context);
export const completion = (fields: object) => checkCompletionRequest({ prompt: "hi", ...fields }, context);
