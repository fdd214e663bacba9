// The path that the operator's endpoints begin with. It stands in a file of its own, so that a command which calls a running gateway does
// not load the server.

/** Path prefix of every endpoint on the administration socket; the reserved prefix of the public hosts plays no part there. */
export const operatorBase = '/v1/';
