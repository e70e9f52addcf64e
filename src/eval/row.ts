/**
 * Rows of data sets.
 * @module
 */

/** A row of a data set. */
export type Row = Readonly<Record<string, unknown>>;
