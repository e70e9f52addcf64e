/** What `nibble-llm/wasm/*` is where a tool compiles it, as wrangler does. */
declare const module: WebAssembly.Module;
export default module;
