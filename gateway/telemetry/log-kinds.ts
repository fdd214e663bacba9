// What a line of any of latchkey's logs can be. The list is closed, so that one rule of a log shipper sorts every stream.

/** `access`: a finished request. `decision`: a refusal and its private reason. `event`: what the program itself has to say. */
export type LogKind = 'access' | 'decision' | 'event';
