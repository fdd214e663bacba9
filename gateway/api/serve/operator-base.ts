// Where the operator's endpoints begin. In a file of its own, so that a command that asks a running gateway loads no server.

/** Everything on the administration socket begins with this, whatever the reserved prefix is. */
export const operatorBase = '/v1/';
