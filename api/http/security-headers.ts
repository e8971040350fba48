/** helmet's headers, computed once: they are the same for every answer, and thirteen `setHeader` calls are not free. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

/** Header name and value pairs of every answer. Pages are static and self-contained: no script, no foreign host. */
export function securityHeaders(): [string, string][] {
  const collected = new Map<string, string>();
  const recorder = {
    setHeader: (name: string, value: string) => collected.set(name, value),
    removeHeader: (name: string) => collected.delete(name),
  };
  const middleware = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // TLS ends before us, and plain http on the loopback must keep working.
    strictTransportSecurity: false,
  });
  middleware({} as IncomingMessage, recorder as unknown as ServerResponse, (error) => {
    if (error) throw error;
  });
  return [...collected];
}
