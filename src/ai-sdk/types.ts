/**
 * The part of the AI SDK's provider specification that this provider implements: versions 4 and 3 (`@ai-sdk/provider`),
 * which have the same shapes for text. It is written out here so that neither the package nor its types depend on the
 * SDK; the tests check these types against the SDK's own.
 * @module
 */
export type SpecificationVersion = "v4" | "v3";

/** A JSON value. */
export type Json = null | string | number | boolean | Json[] | JsonObject;
/** A JSON object. */
export type JsonObject = { [key: string]: Json | undefined };

/** A setting that the provider did not honour, or honoured differently. */
export type Warning =
  | { type: "unsupported"; feature: string; details?: string }
  | { type: "compatibility"; feature: string; details?: string }
  | { type: "other"; message: string };

/** A part of a message; which fields it has depends on its type. */
export interface PromptPart {
  readonly type: string;
  readonly text?: string;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly input?: unknown;
  readonly output?: ToolOutput;
  readonly data?: unknown;
  readonly mediaType?: string;
}

/** The result of a tool call, in a message of the prompt. */
export interface ToolOutput {
  readonly type: string;
  readonly value?: unknown;
  readonly reason?: string;
}

/** A message of the prompt. */
export interface PromptMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | readonly PromptPart[];
}

/** A tool that the model may call. */
export interface FunctionTool {
  readonly type: "function" | "provider";
  readonly name: string;
  readonly id?: string;
  readonly description?: string;
  readonly inputSchema?: unknown;
  readonly inputExamples?: readonly unknown[];
  readonly strict?: boolean;
}

/** The prompt and settings of a call. */
export interface CallOptions {
  readonly prompt: readonly PromptMessage[];
  readonly maxOutputTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly stopSequences?: readonly string[] | undefined;
  readonly topP?: number | undefined;
  readonly topK?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly responseFormat?:
    | { readonly type: "text" }
    | {
        readonly type: "json";
        readonly schema?: unknown;
        readonly name?: string | undefined;
        readonly description?: string | undefined;
      }
    | undefined;
  readonly seed?: number | undefined;
  readonly tools?: readonly FunctionTool[] | undefined;
  readonly toolChoice?: { readonly type: string; readonly toolName?: string } | undefined;
  readonly includeRawChunks?: boolean | undefined;
  readonly abortSignal?: AbortSignal | undefined;
  /** The effort of reasoning. Only version 4 has it. */
  readonly reasoning?: string | undefined;
  readonly providerOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
}

/** Why an answer ended: in the SDK's word, and in OpenAI's. */
export interface FinishReason {
  unified: "stop" | "length" | "tool-calls" | "error" | "other";
  raw: string | undefined;
}

/** The numbers of tokens of a call. */
export interface Usage {
  inputTokens: {
    total: number | undefined;
    noCache: number | undefined;
    cacheRead: number | undefined;
    cacheWrite: number | undefined;
  };
  outputTokens: { total: number | undefined; text: number | undefined; reasoning: number | undefined };
  raw?: JsonObject;
}

/** A call of a tool that the model asks for. */
export interface ToolCall {
  type: "tool-call";
  toolCallId: string;
  toolName: string;
  /** The arguments as JSON. */
  input: string;
}

/** A part of an answer. */
export type Content = { type: "text"; text: string } | { type: "reasoning"; text: string } | ToolCall;

/** The identity of an answer. */
export interface ResponseMetadata {
  id?: string;
  timestamp?: Date;
  modelId?: string;
}

/** An event of a streamed answer. */
export type StreamPart =
  | { type: "stream-start"; warnings: Warning[] }
  | ({ type: "response-metadata" } & ResponseMetadata)
  | { type: "text-start" | "text-end" | "reasoning-start" | "reasoning-end" | "tool-input-end"; id: string }
  | { type: "text-delta" | "reasoning-delta" | "tool-input-delta"; id: string; delta: string }
  | { type: "tool-input-start"; id: string; toolName: string }
  | ToolCall
  | { type: "raw"; rawValue: unknown }
  | { type: "error"; error: unknown }
  | { type: "finish"; usage: Usage; finishReason: FinishReason };

/** A complete answer. */
export interface GenerateResult {
  content: Content[];
  finishReason: FinishReason;
  usage: Usage;
  warnings: Warning[];
  request: { body: unknown };
  response: ResponseMetadata;
}

/** An embedding model as the SDK calls it. */
export interface EmbeddingModel<Version extends SpecificationVersion = "v4"> {
  readonly specificationVersion: Version;
  readonly provider: string;
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: number;
  readonly supportsParallelCalls: boolean;
  doEmbed(options: {
    readonly values: readonly string[];
    /** Only version 4. */
    readonly dimensions?: number | undefined;
    readonly abortSignal?: AbortSignal | undefined;
    readonly providerOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
  }): Promise<{ embeddings: number[][]; usage: { tokens: number }; warnings: Warning[] }>;
}

/** A language model as the SDK calls it. */
export interface LanguageModel<Version extends SpecificationVersion = "v4"> {
  readonly specificationVersion: Version;
  readonly provider: string;
  readonly modelId: string;
  readonly supportedUrls: Record<string, RegExp[]>;
  doGenerate(options: CallOptions): Promise<GenerateResult>;
  doStream(options: CallOptions): Promise<{ stream: ReadableStream<StreamPart>; request: { body: unknown } }>;
}
