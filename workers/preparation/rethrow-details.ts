/** Problem details that crossed a thread or process, as a Problem again. */
import { type ProblemSlug, problemCatalogue } from '../../shared/problems/catalogue.ts';
import { Problem, type ProblemDetails } from '../../shared/problems/problem.ts';

export function rethrowDetails(details: ProblemDetails): Problem {
  const slug = details.type.replace('/problems/', '');
  const known = slug in problemCatalogue ? (slug as ProblemSlug) : 'internal-error';
  return new Problem(known, details.detail, details.errors ? { errors: details.errors } : {});
}
