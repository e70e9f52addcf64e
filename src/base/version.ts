/**
 * The version and commit of this build; scripts/build.mjs sets them.
 * @module
 */
declare const NIBBLE_VERSION: string;
declare const NIBBLE_COMMIT: string;

/** The package's version. */
export const version: string = typeof NIBBLE_VERSION === "string" ? NIBBLE_VERSION : "source";
/** The commit that it was built from, shortened; "unknown" outside of a repository. */
export const commit: string = typeof NIBBLE_COMMIT === "string" ? NIBBLE_COMMIT : "unknown";
