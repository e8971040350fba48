/**
 * Opens the record's database: PostgreSQL by URL, or PGlite (PostgreSQL 18 in this process) in a folder, and brings its
 * tables up to date. The only door to `pg` and PGlite. Says which errors mean "not now" and which "not this row".
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';

export type Database = PgDatabase<PgQueryResultHKT, Record<string, never>>;

export interface OpenedDatabase {
  readonly db: Database;
  readonly kind: 'postgresql' | 'pglite';
  /** Resolves when it is closed, or after a deadline. */
  close(): Promise<void>;
}

const migrationsFolder = join(import.meta.dirname, 'migrations');
/** drizzle's own table of what was applied stands beside ours. */
const migrations = { migrationsFolder, migrationsSchema: 'millrace', migrationsTable: 'migrations' };
/** Any number will do, as long as every release uses the same. */
const migrationLock = 7_305_115_022;

const connectMs = 3000;
/** A page takes milliseconds, drift over a million rows a second; a database that needs longer counts as away. */
const statementMs = 15_000;
/** One writes; the others read. */
const connectionsMax = 5;

export async function openPostgres(url: string, onError: (error: Error) => void): Promise<OpenedDatabase> {
  const [{ default: pg }, { drizzle }, { migrate }] = await Promise.all([
    import('pg'),
    import('drizzle-orm/node-postgres'),
    import('drizzle-orm/node-postgres/migrator'),
  ]);
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    query_timeout: statementMs + 2000,
    keepAlive: true,
    application_name: 'millrace-log',
  });
  pool.on('error', onError);
  try {
    const client = await pool.connect();
    try {
      await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
      await migrate(drizzle(client), migrations);
      await client.query('SELECT pg_advisory_unlock($1)', [migrationLock]);
    } finally {
      // Not back into the pool: closing it frees the lock whatever happened.
      client.release(true);
    }
  } catch (error) {
    await pool.end().catch(() => {});
    throw error;
  }
  return { db: drizzle(pool) as unknown as Database, kind: 'postgresql', close: () => pool.end() };
}

/**
 * A first start makes the files in a folder of another name, so that what a kill left half made is never opened. Takes 3
 * to 12 s then and 0.2 to 1 s later, and 400 MB; it runs on this process's own thread.
 */
export async function openPglite(folder: string): Promise<OpenedDatabase> {
  const [{ PGlite }, { drizzle }, { migrate }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('drizzle-orm/pglite'),
    import('drizzle-orm/pglite/migrator'),
  ]);
  const open = async (dataDir: string) => {
    // 128 MB of shared buffers is half of what it would hold; the files are in the page cache anyway.
    const client = new PGlite({ dataDir, startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB'] });
    await client.waitReady;
    return client;
  };
  if (!existsSync(folder)) {
    const making = `${folder}.new`;
    await rm(making, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    const fresh = await open(making);
    await migrate(drizzle(fresh), migrations);
    await fresh.close();
    await rename(making, folder);
  }
  const client = await open(folder);
  await migrate(drizzle(client), migrations);
  return { db: drizzle(client) as unknown as Database, kind: 'pglite', close: () => client.close() };
}

/** What the driver said, out of drizzle's wrapping, whose message holds every parameter: inputs must not meet a log. */
export function databaseFault(error: unknown): { readonly code: string; readonly message: string } {
  let at = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    const { code } = at as { code?: unknown };
    // A message about data may quote it.
    if (typeof code === 'string') return { code, message: isAboutData(code) ? 'data refused' : at.message };
    if (at.cause === undefined) break;
    at = at.cause;
  }
  const message = at instanceof Error && !at.message.startsWith('Failed query') ? at.message : 'query failed';
  return { code: 'unknown', message: message.slice(0, 300) };
}

/** True when the same statement would fail again however healthy the database is: SQLSTATE classes 22 and 23. */
export function isDataFault(error: unknown): boolean {
  return isAboutData(databaseFault(error).code);
}

function isAboutData(code: string): boolean {
  return /^2[23]...$/.test(code);
}
