/** PostgreSQL of the record of predictions, where DATABASE_URL names one: version, what may be done there, latency. */
import pg from 'pg';
import { type Finding, fail, ok } from './finding.ts';

const connectMs = 5000;
/** Ours is written for 14 and later; tested on 15 and 18. */
const versionLeast = 140_000;

export async function checkDatabase(url: string): Promise<Finding[]> {
  const { host } = new URL(url);
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: connectMs, query_timeout: connectMs });
  client.on('error', () => {});
  try {
    await client.connect();
    const startedMs = performance.now();
    const { rows } = await client.query(
      `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
        has_database_privilege(current_database(), 'CREATE') as may_create, pg_is_in_recovery() as is_replica`,
    );
    return [judgeDatabase(host, rows[0] as DatabaseFacts, performance.now() - startedMs)];
  } catch (error) {
    const fix = 'Correct DATABASE_URL, or see: psql "$DATABASE_URL" -c "select 1"';
    return [fail('postgres', `${host}: ${(error as Error).message}`, fix)];
  } finally {
    await client.end().catch(() => {});
  }
}

export interface DatabaseFacts {
  readonly number: number;
  readonly version: string;
  readonly may_create: boolean;
  readonly is_replica: boolean;
}

export function judgeDatabase(host: string, facts: DatabaseFacts, latencyMs: number): Finding {
  const detail = `${facts.version} at ${host}, ${latencyMs.toFixed(1)} ms a query`;
  if (facts.number < versionLeast)
    return fail('postgres', `${detail}; 14 is the least`, 'Upgrade PostgreSQL to 15 or later.');
  if (facts.is_replica) return fail('postgres', `${detail}; a read-only replica`, 'Name the primary in DATABASE_URL.');
  if (facts.may_create) return ok('postgres', detail);
  return fail('postgres', `${detail}; tables can not be made`, 'psql: GRANT CREATE ON DATABASE <name> TO <user>;');
}
