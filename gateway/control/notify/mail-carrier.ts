// The carrier of mails: reads the body that queue-mail.ts wrote and hands the mail to a transport.

import type { Carrier } from './deliveries.ts';
import type { MailTransport } from './transport.ts';

/** What the body of a mail's row holds, as JSON. */
export interface MailBody {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** @param transport  closed with the carrier */
export function makeMailCarrier(transport: MailTransport): Carrier {
  return {
    deliver: async ({ id, kind, createdAt, body }, signal) => {
      // Our own text, authenticated by the seal.
      const mail = JSON.parse(body) as MailBody;
      return await transport.deliver({ ...mail, id, kind, createdAt }, signal);
    },
    close: () => transport.close(),
  };
}
