/** The type of an imported .wasm file in workerd, and in bundlers that compile it as wrangler does. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
