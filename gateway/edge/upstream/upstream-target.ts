// How a connection to one server is opened: TCP, Unix socket, TLS. No pools, no requests.
// Over TLS not one byte is written before the server's certificate was verified, and nothing falls back to plain text.
// Rules: RFC 9110 §4.3.3 and §4.3.4 (who a certificate has to be for), RFC 6066 §3 (no SNI for addresses).

import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction, type OnReadOpts, Socket } from 'node:net';
import { connect as connectTls, createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { UpstreamServer, UpstreamTls } from '../../config/compiled/upstream-config.ts';
import { contextOptions, type TlsMaterial } from '../../config/files/upstream-tls.ts';

/** What all `https://` servers of one upstream share. */
export interface TargetTls {
  readonly context: SecureContext;
  readonly serverName: string | null;
  readonly verify: boolean;
}

/** One server as something to connect to. */
export class UpstreamTarget {
  readonly isTls: boolean;
  /** The event after which the socket may be written to. */
  readonly openEvent: 'connect' | 'secureConnect';
  readonly #server: UpstreamServer;
  readonly #tls: TargetTls | null;
  readonly #lookup: LookupFunction;
  /** TLS session of the last verified handshake; for this server and these settings only. */
  #session: Buffer | null = null;

  /** @param lookup  resolves the name for each new connection, so that the name may move; null for the system's resolver */
  constructor(server: UpstreamServer, tls: TargetTls | null, lookup: LookupFunction | null) {
    if (server.isTls && tls === null) throw new Error(`${server.authority} speaks TLS and has no settings for it`);
    this.#server = server;
    this.isTls = server.isTls;
    this.openEvent = server.isTls ? 'secureConnect' : 'connect';
    this.#tls = server.isTls ? tls : null;
    this.#lookup = inTurn(lookup ?? systemLookup);
  }

  /** Opens a connection. Over TLS what is written waits until the certificate was verified. */
  open(onread: OnReadOpts | null): Socket {
    const { address } = this.#server;
    const options = {
      ...(onread === null ? {} : { onread }),
      ...(address.kind === 'unix'
        ? { path: address.path }
        : // several addresses of one name are tried one after the other (RFC 8305)
          { host: address.host, port: address.port, lookup: this.#lookup, autoSelectFamily: true }),
    };
    const socket = this.#tls === null ? new UploadSocket(options).connect(options) : this.#openTls(this.#tls, options);
    socket.setNoDelay(true);
    return socket;
  }

  #openTls(tls: TargetTls, options: object): Socket {
    const { address } = this.#server;
    const host = address.kind === 'tcp' ? address.host : 'localhost';
    const name = tls.serverName ?? host;
    const socket = connectTls({
      ...options,
      secureContext: tls.context,
      rejectUnauthorized: tls.verify,
      ALPNProtocols: ['http/1.1'],
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(this.#session === null ? {} : { session: this.#session }),
    });
    // Requests are written before the handshake is done. The cork keeps them here, whatever Node's TLS does with early writes.
    socket.cork();
    socket.once('secureConnect', () => socket.uncork());
    socket.on('session', (session) => {
      this.#session = session;
    });
    return socket;
  }
}

type Written = (error?: Error | null) => void;

/**
 * A socket to an upstream that goes on reading when the upstream takes no more of an upload. A server that answers early and
 * closes resets the connection under the rest of the body. Node destroys a socket whose write fails, with the answer still unread
 * in the kernel. Here the write of a body fails silently instead, and what ends the connection is what is read from it: the answer
 * and then its end (RFC 9112 §9.5: watch for an answer while sending the body). Plain TCP and Unix sockets only, and only where the
 * kernel keeps what came before a reset (Linux does).
 *
 * It emits `lost` when bytes of a body were lost: nothing may be sent any more then, and the end of what is read proves nothing.
 */
export class UploadSocket extends Socket {
  /** A body is on its way: a write that fails is not the end of the connection. */
  isUploading = false;

  override _write(chunk: unknown, encoding: BufferEncoding, written: Written): void {
    super._write(chunk, encoding, this.isUploading ? this.#forgiving(written) : written);
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], written: Written): void {
    super._writev?.(chunks, this.isUploading ? this.#forgiving(written) : written);
  }

  #forgiving(written: Written): Written {
    return (error) => {
      const code = error && 'code' in error ? error.code : null;
      if (code !== 'EPIPE' && code !== 'ECONNRESET') {
        written(error);
        return;
      }
      this.emit('lost');
      written();
    };
  }
}

/** @param material  PEM text of this upstream's files, checked when control read them */
export function targetTls(tls: UpstreamTls, material: TlsMaterial): TargetTls {
  const options = contextOptions(material);
  const ca = options.ca ?? systemRoots();
  return {
    context: createSecureContext({ ...options, ca, minVersion: tls.minVersion }),
    serverName: tls.serverName,
    verify: tls.verify,
  };
}

/** What an error of a socket says, for logs: the system's or OpenSSL's words, at most 200 characters. */
export function errorText(error: Error): string {
  // an error that stands for several addresses (AggregateError) has no message of its own
  const code = 'code' in error ? String(error.code) : '';
  const text = error.message === '' ? code : error.message;
  return (code === '' || text.includes(code) ? text : `${code}: ${text}`).trim().slice(0, 200);
}

let roots: string[] | null = null;

/** The root certificates of the system; Node's own where the system has none, as in small images. */
function systemRoots(): string[] {
  if (roots === null) {
    // the system's folder and its bundle name most roots twice, and each root costs time in every context
    const system = [...new Set(getCACertificates('system'))];
    roots = system.length > 0 ? system : getCACertificates('bundled');
  }
  return roots;
}

/**
 * A lookup that gives the several addresses of one name in turn. The resolver's order of families stays, since the resolver knows
 * which families can be reached. @testing
 */
export function inTurn(lookup: LookupFunction): LookupFunction {
  let turn = 0;
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, found, family) => {
      if (error !== null || !Array.isArray(found) || found.length < 2) {
        callback(error, found, family);
        return;
      }
      const preferred = found.filter((address) => address.family === found[0]?.family);
      const others = found.filter((address) => address.family !== found[0]?.family);
      turn = (turn + 1) % preferred.length;
      callback(null, [...preferred.slice(turn), ...preferred.slice(0, turn), ...others]);
    });
  };
}
