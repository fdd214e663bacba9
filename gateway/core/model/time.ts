// Units of time as types, so that a bare number never says neither seconds nor milliseconds.

/** Whole seconds since 1970-01-01T00:00:00Z, as `NumericDate` in RFC 7519 §2. */
export type EpochSeconds = number;
