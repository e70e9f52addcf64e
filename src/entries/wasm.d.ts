/** The type of `nibble-llm/wasm/*` in tools that compile it, such as wrangler. */
declare const module: WebAssembly.Module;
export default module;
