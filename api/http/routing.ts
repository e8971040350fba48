/**
 * How a route is declared, and how Express is told of it. Each path has one layer that knows its methods, so that a
 * wrong one is answered 405 with `Allow`, and one place where everything thrown ends.
 */
import type { Express, Request, Response } from 'express';
import { Problem } from '../../shared/problems/problem.ts';
import type { Authenticator } from './authenticate.ts';
import type { Call } from './call.ts';
import { sendEmpty } from './send.ts';

export type Method = 'GET' | 'POST' | 'DELETE';
export type Handler = (call: Call) => Promise<void> | void;

export interface Route {
  /** Express pattern, `/v1/jobs/:id`. */
  readonly path: string;
  /** True for what needs no key: health, docs. */
  readonly isOpen?: boolean;
  /** For routes that know another way than a key (event streams): the tenant, or undefined to ask for a key. */
  readonly admit?: (call: Call) => string | undefined;
  readonly methods: Readonly<Partial<Record<Method, Handler>>>;
}

export const callOf = (response: Response): Call => response.locals['call'] as Call;

export function addRoute(app: Express, route: Route, authenticator: Authenticator): void {
  const allow = allowedMethods(route);
  app.all(route.path, async (request: Request, response: Response) => {
    const call = callOf(response);
    call.route = route.path;
    call.parameters = request.params as Record<string, string>;
    const handler = route.methods[(request.method === 'HEAD' ? 'GET' : request.method) as Method];
    if (!handler && request.method === 'OPTIONS') return sendEmpty(call, 204, { Allow: allow });
    if (!handler) {
      response.setHeader('Allow', allow);
      throw new Problem('method-not-allowed', `This resource takes ${allow}.`);
    }
    if (!route.isOpen) call.tenant = route.admit?.(call) ?? authenticator.authenticate(call);
    await handler(call);
  });
}

function allowedMethods({ methods }: Route): string {
  const names = Object.keys(methods);
  return (names.includes('GET') ? [...names, 'HEAD', 'OPTIONS'] : [...names, 'OPTIONS']).join(', ');
}
