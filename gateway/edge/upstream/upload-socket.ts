// A socket to an upstream that goes on reading when the upstream takes no more of an upload.
// A server that answers early and closes resets the connection under the rest of the body. Node destroys a socket whose
// write fails, with the answer still unread in the kernel. Here the write of a body fails silently instead, and what ends
// the connection is what is read from it: the answer and then its end. Plain TCP and Unix sockets only, and only where the
// kernel keeps what came before a reset (Linux does). Rule: RFC 9112 §9.5: watch for an answer while sending the body.

import { Socket } from 'node:net';

type Written = (error?: Error | null) => void;

/** Says `lost` when bytes were: nothing may be sent any more then, and the end of what is read proves nothing. */
export class UploadSocket extends Socket {
  /** A body is on its way: from here on failed writes are not the end. */
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
