/** Takes the link to Google's fonts out of Bull Board's page: the policy forbids it, and nobody there needs to know of us. */
import type { NextFunction, Request, Response } from 'express';

const fontLink = /<link[^>]+fonts\.(googleapis|gstatic)\.com[^>]*>/g;

export function withoutForeignFonts(request: Request, response: Response, next: NextFunction): void {
  if (!request.path.startsWith('/api/') && !request.path.startsWith('/static/')) {
    const send = response.send;
    response.send = (body) => send.call(response, typeof body === 'string' ? body.replaceAll(fontLink, '') : body);
  }
  next();
}
