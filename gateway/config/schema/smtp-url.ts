// Reads the URL of a mail server: its address, the gateway's user name and password there, and whether mail may go without TLS. Pure.
// Certificates are always checked; there is no way to say otherwise. A private authority goes into NODE_EXTRA_CA_CERTS.
// Never repeats the URL in a message: it may hold a password.

/** A mail server as the SMTP client takes it. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /**
   * `from-the-start`: smtps. `required`: STARTTLS or no mail. `offered`: STARTTLS when the server has it. `none`: a server on this
   * machine, where no network is crossed and test servers have no certificate that could be checked.
   */
  readonly tls: 'from-the-start' | 'required' | 'offered' | 'none';
  /** Empty for none. */
  readonly user: string;
  /** Empty for none, or when the password stands in a file. */
  readonly password: string;
}

type ReadSmtpUrl =
  | { readonly kind: 'read'; readonly server: SmtpServer }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

const sample = 'write smtp://user:password@mail.example.org:587';

/** `smtp://[user[:password]@]host[:port][?starttls=required|offered]` or `smtps://…`. */
export function readSmtpUrl(text: string): ReadSmtpUrl {
  if (!URL.canParse(text)) return refused('is not a URL', sample);
  const url = new URL(text);
  if (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') return refused('is no smtp:// or smtps:// URL', sample);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') return refused('names no host', sample);
  if ((url.pathname !== '' && url.pathname !== '/') || url.hash !== '') return refused('has a path', sample);
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'starttls');
  const choice = url.searchParams.get('starttls');
  const isChoice = choice === null || choice === 'required' || choice === 'offered';
  if (unknown !== undefined || !isChoice || (choice !== null && url.protocol === 'smtps:'))
    return refused('has a query that means nothing', 'smtp:// takes ?starttls=required or ?starttls=offered');
  let user: string;
  let password: string;
  try {
    user = decodeURIComponent(url.username);
    password = decodeURIComponent(url.password);
  } catch {
    return refused('has a user or password with a broken %', 'write %25 for a percent sign');
  }
  const isSecure = url.protocol === 'smtps:';
  const tls = isSecure ? 'from-the-start' : (choice ?? (isLoopback(host) ? 'none' : 'required'));
  const port = url.port === '' ? (isSecure ? 465 : user === '' ? 25 : 587) : Number(url.port);
  return { kind: 'read', server: { host, port, tls, user, password } };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function refused(problem: string, hint: string): ReadSmtpUrl {
  return { kind: 'refused', problem, hint };
}
