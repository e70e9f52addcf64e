/** The type of `nibble-llm/crumb.gguf` in tools that import it as bytes, such as wrangler with a rule of type Data. */
declare const bytes: ArrayBuffer;
export default bytes;
