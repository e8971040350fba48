/** How a path of the public port is documented, and what several of them share. */
import { z } from 'zod';
import type { ProblemSlug } from '../../shared/problems/catalogue.ts';

export interface PathDoc {
  readonly method: 'get' | 'post' | 'delete';
  readonly path: string;
  readonly tag: 'Jobs' | 'Predictions' | 'Models' | 'Webhooks' | 'Health';
  readonly summary: string;
  readonly description?: string;
  readonly isOpen?: boolean;
  readonly parameters?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  /** Of the request; that of a submission is made from the catalog. */
  readonly body?: z.ZodType;
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema?: z.ZodType; readonly type?: string }>
  >;
  /** Problems besides those that any request can meet. */
  readonly problems: readonly ProblemSlug[];
  /** A command that works as it stands, with BASE for the origin. */
  readonly example?: string;
}

export const jobId = z.object({
  id: z.string().meta({ example: 'job_00199a1b2c3d47e8f9a0b1c2d3e4f5a6b7', description: 'Id of a job.' }),
});

/** Of a route that reads one job. */
export const reading: readonly ProblemSlug[] = ['invalid-id', 'not-found', 'gone'];
