// biome-ignore-all lint/suspicious/noEmptyInterface: these merge with the interfaces of the library "dom", as a type cannot
/**
 * Names that the declarations use, for projects without TypeScript's library "dom". Where the library is used, these
 * interfaces merge with its own.
 */
declare global {
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
    interface Instance {}
  }
  interface CryptoKey {}
  interface Worker {}
}

export {};
