/**
 * One compilation per build and process.
 * @module
 */
import type { Build } from "../runtime/kernels.ts";

/** Makes a host's `wasm` of a function that compiles a build. Loads share its module, and with it the machine code. */
export function compileOnce<Module>(compile: (build: Build) => Promise<Module>): (build: Build) => Promise<Module> {
  const modules = new Map<Build, Promise<Module>>();
  return (build) => {
    let module = modules.get(build);
    if (!module) {
      module = compile(build);
      modules.set(build, module);
      module.catch(() => modules.delete(build)); // a later load tries again
    }
    return module;
  };
}
