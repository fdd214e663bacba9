// The part of http-proxy's interface that the bench uses; the package ships no types of its own.
// Source: the package's README, "Core Concept" and "Options".

declare module 'http-proxy' {
  import type { Agent, IncomingMessage, ServerResponse } from 'node:http';

  export interface ProxyServer {
    web(request: IncomingMessage, response: ServerResponse): void;
    on(event: 'error', listener: (error: Error, request: IncomingMessage, response: ServerResponse) => void): this;
  }

  const httpProxy: {
    createProxyServer(options: { readonly target: string; readonly agent: Agent }): ProxyServer;
  };
  export default httpProxy;
}
