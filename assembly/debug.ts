// The debug build: everything of the release builds, with assertions on, and the scalar references for the kernel tests.
export * from "./index";
