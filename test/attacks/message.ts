// Reads requests as an upstream gets them. There is one canonical form, and every other form counts as broken.
// The suite has its own reader on purpose: it must not ask the engine's parser whether the engine was right.

/** One request, read. */
export interface Message {
  /** Exactly its bytes. */
  readonly raw: Buffer;
  readonly method: string;
  readonly target: string;
  /** In order, values trimmed, latin1. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly framing: 'none' | 'length' | 'chunked';
  /** Content without chunk framing. */
  readonly body: Buffer;
}

type Reading =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'broken'; readonly why: string };

const requestLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\/[\x21-\x7e]*(?:\?[\x21-\x7e\x80-\xff]*)?) HTTP\/1\.1$/;
const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*)$/s;
const chunkSize = /^(?:0|[1-9A-Fa-f][0-9A-Fa-f]{0,12})$/;

const incomplete: Reading = { kind: 'incomplete' };

/** Reads the request at the front of these bytes. */
export function readMessage(bytes: Buffer): Reading {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return incomplete;
  const [line = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const start = requestLine.exec(line);
  if (start === null) return broken(`the request line ${JSON.stringify(line)}`);
  const fields: [string, string][] = [];
  for (const text of lines) {
    const field = fieldLine.exec(text);
    if (field === null || hasControl(text)) return broken(`the field line ${JSON.stringify(text)}`);
    fields.push([field[1] ?? '', (field[2] ?? '').replace(/[ \t]+$/, '')]);
  }
  const all = (wanted: string) => fields.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  if (all('host').length !== 1) return broken(`${all('host').length} Host fields`);
  const lengths = all('content-length');
  const codings = all('transfer-encoding');
  if (lengths.length + codings.length > 1) return broken('more than one framing field');
  const [length] = lengths;
  const bodyStart = headEnd + 4;
  const finish = (end: number, framing: Message['framing'], body: Buffer): Reading => ({
    kind: 'message',
    message: { raw: bytes.subarray(0, end), method: start[1] ?? '', target: start[2] ?? '', fields, framing, body },
  });
  if (length !== undefined) {
    if (!/^(?:0|[1-9]\d{0,14})$/.test(length)) return broken(`Content-Length ${JSON.stringify(length)}`);
    const end = bodyStart + Number(length);
    return bytes.length < end ? incomplete : finish(end, 'length', bytes.subarray(bodyStart, end));
  }
  if (codings.length === 0) return finish(bodyStart, 'none', Buffer.alloc(0));
  if (codings[0] !== 'chunked') return broken(`Transfer-Encoding ${JSON.stringify(codings[0])}`);
  return readChunks(bytes, bodyStart, (end, body) => finish(end, 'chunked', body));
}

function readChunks(bytes: Buffer, start: number, finish: (end: number, body: Buffer) => Reading): Reading {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return incomplete;
    const text = bytes.toString('latin1', at, lineEnd);
    if (!chunkSize.test(text)) return broken(`the chunk size ${JSON.stringify(text)}`);
    const size = Number.parseInt(text, 16);
    const dataEnd = lineEnd + 2 + size;
    if (bytes.length < dataEnd + 2) return incomplete;
    if (bytes.toString('latin1', dataEnd, dataEnd + 2) !== '\r\n') {
      return broken(size === 0 ? 'a trailer' : 'data that no line end follows');
    }
    if (size === 0) return finish(dataEnd + 2, Buffer.concat(pieces));
    pieces.push(bytes.subarray(lineEnd + 2, dataEnd));
    at = dataEnd + 2;
  }
}

/** Control characters. HT is not among them, since it may stand in a value (RFC 9110 §5.5). */
function hasControl(text: string): boolean {
  return [...text].some((character) => {
    const code = character.charCodeAt(0);
    return (code < 0x20 && code !== 0x09) || code === 0x7f;
  });
}

function broken(why: string): Reading {
  return { kind: 'broken', why };
}
