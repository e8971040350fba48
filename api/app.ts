/** The Express app: what every request goes through, then the routes. Never listens; knows no environment. */
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { traceIdOf } from '../shared/observability/trace-context.ts';
import { Problem } from '../shared/problems/problem.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Call } from './http/call.ts';
import { explainError } from './http/error-handler.ts';
import { addRoute, callOf } from './http/routing.ts';
import { securityHeaders } from './http/security-headers.ts';
import { sendProblem } from './http/send.ts';
import { apiRoutes } from './routes/routes.ts';

export function createApp(parts: ApiDependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.use(openCall(parts));
  for (const route of apiRoutes(parts)) addRoute(app, route, parts.authenticator);
  app.use(() => {
    throw new Problem('not-found', 'There is no such path. See /docs.');
  });
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    answerError(parts, callOf(response), error);
  });
  return app;
}

/** Makes the call, sets the headers that every answer has, and counts and logs it when it is over. */
function openCall(parts: ApiDependencies) {
  const fixedHeaders = securityHeaders().flat();
  return (request: Request, response: Response, next: NextFunction) => {
    const call = new Call(request, response, parts.tracing);
    response.locals['call'] = call;
    call.fixedHeaders = [...fixedHeaders, 'X-Request-Id', call.id, 'traceparent', call.traceparent];
    response.once('close', () => report(parts, call));
    if (call.header('host') === undefined) throw new Problem('bad-request', 'The request has no Host header.');
    parts.authenticator.refuseKeyInUrl(call);
    next();
  };
}

function answerError(parts: ApiDependencies, call: Call, error: unknown): void {
  const problem = explainError(error);
  call.trace?.fail(problem);
  if (problem.slug === 'internal-error') {
    const trace = traceIdOf(call.traceparent);
    parts.logger.error({ err: error, request: call.id, job: call.job, trace, route: call.route }, 'unexpected error');
  }
  if (call.response.headersSent) {
    call.response.destroy(); // Too late for a problem: a cut answer must not look whole.
    return;
  }
  sendProblem(call, problem, problem.slug === 'unauthenticated' ? { 'WWW-Authenticate': 'Bearer' } : {});
}

/** Changes are logged, reads only when asked for; never bodies, queries or keys. */
function report({ metrics, logger }: ApiDependencies, call: Call): void {
  const { method = '' } = call.request;
  const status = call.response.headersSent ? call.response.statusCode : 499;
  const seconds = (performance.now() - call.startedMs) / 1000;
  metrics.requests.inc({ route: call.route, method: boundedMethod(method), status });
  metrics.seconds.observe({ route: call.route }, seconds);
  call.trace?.end(call, status);
  const level = method === 'GET' || method === 'HEAD' ? 'debug' : 'info';
  if (!logger.isLevelEnabled(level)) return;
  const trace = traceIdOf(call.traceparent);
  const ms = Math.round(seconds * 1000);
  logger[level]({ request: call.id, job: call.job, trace, route: call.route, status, ms }, method);
}

/** Node passes some thirty methods on; a label must not grow with what callers invent. */
function boundedMethod(method: string): string {
  return ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'].includes(method) ? method : 'other';
}
