/** Headers of every answer of the admin port: nothing is framed, cached, sniffed or loaded from elsewhere. */

/** Our own pages have no script at all. */
const pagePolicy = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Bull Board is a script that asks its own API, and sets style attributes. It fetches fonts from Google: not from here. */
const boardPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join('; ');

export function adminHeaders(path: string): Readonly<Record<string, string>> {
  const isBoard = path === '/admin/queues' || path.startsWith('/admin/queues/');
  return {
    'Content-Security-Policy': isBoard ? boardPolicy : pagePolicy,
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    // Not `no-referrer`: a browser would then send `Origin: null` with our own forms.
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    // Files of Bull Board have a hash in their names; all else is about jobs.
    'Cache-Control': path.startsWith('/admin/queues/static/') ? 'private, max-age=86400' : 'no-store',
  };
}
