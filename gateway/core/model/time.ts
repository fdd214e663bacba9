// Units of time as types, so that the type of a number says whether it counts seconds or milliseconds.

/** Whole seconds since 1970-01-01T00:00:00Z, as `NumericDate` in RFC 7519 §2. */
export type EpochSeconds = number;

/** The latest moment that anybody may name: the year 3000. A later one is a mistake of units. */
export const latestMoment: EpochSeconds = 32_503_680_000;
