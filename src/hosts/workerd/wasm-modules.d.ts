/** What an imported .wasm is in workerd, and wherever a bundler follows it. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
