/**
 * The Express app of the operator's pages: host, headers, gate, then a page, an action or Bull Board. One place decides
 * who gets in, and one that a change comes from a form of ours.
 */
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { traceIdOf } from '../../shared/observability/trace-context.ts';
import { Problem } from '../../shared/problems/problem.ts';
import { Call } from '../http/call.ts';
import { explainError } from '../http/error-handler.ts';
import { callOf } from '../http/routing.ts';
import { sendEmpty, sendHtml, sendProblem } from '../http/send.ts';
import { adminHeaders } from './access/headers.ts';
import { isSameOrigin } from './access/known-hosts.ts';
import { act } from './actions.ts';
import type { BoardParts, Visit } from './board-parts.ts';
import { logIn, logOut, showLogin } from './log-in.ts';
import { findJob, showDeadLetters, showJob, showOverview, showTenant, showTenants } from './look-up.ts';
import { listLoadedModels, loadModel, unloadModel } from './operate-models.ts';
import { adminPage, barePage } from './pages/frame.ts';
import { html } from './pages/html.ts';
import { withoutForeignFonts } from './queues/foreign-fonts.ts';
import { readForm } from './read-form.ts';

type Page = (parts: BoardParts, visit: Visit) => Promise<void>;

const pages: Readonly<Record<string, Page>> = {
  '/admin': showOverview,
  '/admin/tenants': showTenants,
  '/admin/tenants/:tenant': showTenant,
  '/admin/jobs/:tenant/:id': showJob,
  '/admin/find': findJob,
  '/admin/dead-letters': showDeadLetters,
};

/** For programs, by the token alone: `millrace models`. */
const modelsApi = [
  ['get', '/admin/api/models', listLoadedModels],
  ['post', '/admin/api/models/:id/load', loadModel],
  ['post', '/admin/api/models/:id/unload', unloadModel],
] as const satisfies readonly (readonly [method: 'get' | 'post', path: string, handle: Page])[];

const visitOf = (response: Response): Visit => response.locals['visit'] as Visit;

export function createBoardApp(parts: BoardParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.use(openCall(parts));
  app.get('/livez', (_request, response) => void response.type('text').send('ok\n'));
  app.get('/', (_request, response) => sendEmpty(callOf(response), 302, { Location: '/admin' }));
  app.get('/admin/login', (_request, response) => showLogin(parts, callOf(response)));
  app.post('/admin/login', (_request, response) => logIn(parts, callOf(response)));
  app.use('/admin', letIn(parts));
  for (const [path, page] of Object.entries(pages)) {
    app.get(path, async (request, response) => {
      const visit = visitOf(response);
      visit.call.route = path;
      visit.call.parameters = request.params as Record<string, string>;
      await page(parts, visit);
    });
  }
  for (const [method, path, handle] of modelsApi) {
    app[method](path, async (request, response) => {
      const visit = visitOf(response);
      visit.call.parameters = request.params as Record<string, string>;
      // A browser's session could be made to send it by a page of another origin; a bearer's header can not.
      if (visit.session) return refuse(visit.call, 0);
      await handle(parts, visit);
    });
  }
  app.post(
    '/admin/logout',
    withForm(parts, async (visit) => logOut(parts, visit)),
  );
  app.post(
    '/admin/actions/:action',
    withForm(parts, (visit, form) => act(parts, visit, form)),
  );
  app.use('/admin/queues', onlyLook, withoutForeignFonts, refreshQueues(parts), parts.board.app);
  app.use(() => {
    throw new Problem('not-found', 'There is no such page.');
  });
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    answerError(parts, response, error);
  });
  return app;
}

function openCall({ gate, tracing }: BoardParts) {
  return (request: Request, response: Response, next: NextFunction) => {
    const call = new Call(request, response, tracing);
    response.locals['call'] = call;
    response.once('close', () => {
      if (request.route) call.route = `${request.baseUrl}${request.route.path}`;
      call.trace?.end(call, response.headersSent ? response.statusCode : 499);
    });
    for (const [name, value] of Object.entries(adminHeaders(call.path))) response.setHeader(name, value);
    // A probe asks by the name that its network gives us.
    if (call.path !== '/livez' && !gate.hosts.has(call.header('host'))) {
      throw new Problem(
        'foreign-origin',
        'This name is not known here. Use localhost or an address, or set ADMIN_URL.',
      );
    }
    const isChange = request.method !== 'GET' && request.method !== 'HEAD';
    const { origin, host } = request.headers;
    if (isChange && !isSameOrigin({ origin, host, 'sec-fetch-site': call.header('sec-fetch-site') })) {
      throw new Problem('foreign-origin', 'A page of another origin made this request.');
    }
    next();
  };
}

function letIn(parts: BoardParts) {
  return (request: Request, response: Response, next: NextFunction) => {
    const call = callOf(response);
    const admission = parts.gate.admit(call, Date.now());
    if (admission.by === 'refused') return refuse(call, admission.retryAfterSeconds);
    if (admission.by === 'nobody') {
      const isPage = request.method === 'GET' && !/^\/admin\/(queues\/)?api\//.test(call.path);
      if (!isPage) return refuse(call, 0);
      return sendEmpty(call, 303, { Location: `/admin/login?next=${encodeURIComponent(request.originalUrl)}` });
    }
    const session = admission.by === 'session' ? admission.session : undefined;
    const formToken = session ? parts.gate.sessions.formToken(session) : '';
    const { links, jaegerUiUrl } = parts;
    response.locals['visit'] = { call, session, view: { formToken, links, jaegerUiUrl } } satisfies Visit;
    next();
  };
}

function refuse(call: Call, retryAfterSeconds: number): void {
  const problem =
    retryAfterSeconds > 0
      ? new Problem('quota-exceeded', 'Too many wrong tokens. Wait.', { retryAfterSeconds })
      : new Problem('unauthenticated', 'Log in at /admin/login, or send "Authorization: Bearer <ADMIN_TOKEN>".');
  sendProblem(call, problem, retryAfterSeconds > 0 ? {} : { 'WWW-Authenticate': 'Bearer' });
}

/** A change by session needs the token of its forms; a bearer's header is sent by nothing but its own program. */
function withForm(parts: BoardParts, handle: (visit: Visit, form: ReadonlyMap<string, string>) => Promise<void>) {
  return async (request: Request, response: Response) => {
    const visit = visitOf(response);
    visit.call.parameters = request.params as Record<string, string>;
    const form = await readForm(visit.call);
    if (visit.session && !parts.gate.sessions.isFormToken(visit.session, form.get('form_token') ?? '')) {
      throw new Problem('foreign-origin', 'This form is not of your session. Load the page again.');
    }
    await handle(visit, form);
  };
}

/** Bull Board refuses changes of read-only queues; nothing that could change comes near it. */
function onlyLook(request: Request, response: Response, next: NextFunction): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    throw new Problem('method-not-allowed', 'Queues are shown here, not changed. Dead letters have their own page.');
  }
  next();
}

function refreshQueues({ boardQueues }: BoardParts) {
  return async (request: Request, _response: Response, next: NextFunction) => {
    if (!request.path.startsWith('/static/')) await boardQueues.refresh();
    next();
  };
}

function answerError({ logger }: BoardParts, response: Response, error: unknown): void {
  const call = callOf(response);
  const problem = explainError(error);
  call.trace?.fail(problem);
  if (problem.slug === 'internal-error') {
    const trace = traceIdOf(call.traceparent);
    logger.error({ err: error, request: call.id, job: call.job, trace }, 'unexpected error');
  }
  if (response.headersSent) response.destroy();
  else if (!(call.header('accept') ?? '').includes('text/html')) sendProblem(call, problem);
  else sendHtml(call, problem.status, errorPage(problem, response.locals['visit'] as Visit | undefined));
}

function errorPage(problem: Problem, visit: Visit | undefined): string {
  const { title, detail } = problem.toDetails();
  const body = html`<p class="note bad">${detail}</p><p><a href="/admin">To the overview</a></p>`;
  return visit ? adminPage(title, visit.view, body) : barePage(title, body);
}
