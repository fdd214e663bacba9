// The shape of `application/problem+json` (RFC 9457), for all answers of edges, of control's servers and of the API.
// Which problem a client is told is decided elsewhere.

export const problemMediaType = 'application/problem+json';

/** The members of a problem, in the order in which they are written. All but `title` and `status` may be absent. */
interface Problem {
  readonly title: string;
  readonly status: number;
  /** What happened and what to do about it. */
  readonly detail?: string;
  /** A closed word for programs. */
  readonly reason?: string;
  /** The id that the request has in logs. */
  readonly request_id?: string;
}

/** The JSON text of a problem whose `type` is `about:blank`, so its title is the one of the status (RFC 9457 §4.2.1). */
export function problemJson({ title, status, detail, reason, request_id }: Problem): string {
  return JSON.stringify({ type: 'about:blank', title, status, detail, reason, request_id });
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** The title of a status that latchkey's own answers have (RFC 9110 §15); `Refused` for any other status. */
export function titleOf(status: number): string {
  return titles[status] ?? 'Refused';
}
