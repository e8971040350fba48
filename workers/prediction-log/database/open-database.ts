/**
 * Opens the record's database: PostgreSQL by URL, or PGlite (PostgreSQL 18 in this process) in a folder, and brings its
 * tables up to date. The only door to `pg` and PGlite. Says which errors mean "not now" and which "not this row".
 */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';

export type Database = PgDatabase<PgQueryResultHKT, Record<string, never>>;

export interface OpenedDatabase {
  readonly db: Database;
  /** The same for whoever asks: questions that take long, or come in crowds, never hold up what writes. */
  readonly asked: Database;
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
/** A name of its own each time: the maker of a process that was killed may still be writing. */
const halfMade = '.making-';
/** PGlite writes its files with mode 0666: nobody else may get at them, since they hold inputs. */
const folderMode = 0o700;
/** On a machine with ten other loads it took 16 s. */
const makingMs = 120_000;
/** One writes, one forgets what is old. */
const writersMax = 2;
/** What callers ask. */
const askersMax = 4;

export async function openPostgres(url: string, onError: (error: Error) => void): Promise<OpenedDatabase> {
  const [{ default: pg }, { drizzle }, { migrate }] = await Promise.all([
    import('pg'),
    import('drizzle-orm/node-postgres'),
    import('drizzle-orm/node-postgres/migrator'),
  ]);
  const poolOf = (max: number) => {
    const made = new pg.Pool({
      connectionString: url,
      max,
      connectionTimeoutMillis: connectMs,
      statement_timeout: statementMs,
      query_timeout: statementMs + 2000,
      keepAlive: true,
      application_name: 'millrace-log',
    });
    return made.on('error', onError);
  };
  const pool = poolOf(writersMax);
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
  const askers = poolOf(askersMax);
  return {
    db: drizzle(pool) as unknown as Database,
    asked: drizzle(askers) as unknown as Database,
    kind: 'postgresql',
    close: async () => void (await Promise.all([pool.end(), askers.end()])),
  };
}

/**
 * A first start makes the files in a folder of another name, so that what a kill left half made is never opened, and in
 * another process. Opening them takes 0.2 to 1 s of this process's own thread, and 400 MB.
 */
export async function openPglite(folder: string, signal?: AbortSignal): Promise<OpenedDatabase> {
  if (existsSync(folder))
    await chmod(folder, folderMode); // One that an earlier release made.
  else {
    await mkdir(dirname(folder), { recursive: true });
    await removeHalfMade(folder);
    const making = `${folder}${halfMade}${randomUUID()}`;
    await makeElsewhere(making, signal);
    await rename(making, folder);
  }
  const { client, db } = await startPglite(folder);
  return { db, asked: db, kind: 'pglite', close: () => client.close() };
}

/** For `make-pglite-main.ts`. */
export async function makePglite(folder: string): Promise<void> {
  const { client } = await startPglite(folder);
  await client.close();
}

async function startPglite(dataDir: string) {
  const [{ PGlite }, { drizzle }, { migrate }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('drizzle-orm/pglite'),
    import('drizzle-orm/pglite/migrator'),
  ]);
  // 128 MB of shared buffers is half of what it would hold; the files are in the page cache anyway.
  await mkdir(dataDir, { recursive: true, mode: folderMode });
  const client = new PGlite({ dataDir, startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB'] });
  await client.waitReady;
  const db = drizzle(client);
  await migrate(db, migrations);
  return { client, db: db as unknown as Database };
}

async function removeHalfMade(folder: string): Promise<void> {
  const names = (await readdir(dirname(folder))).filter((name) => name.startsWith(`${basename(folder)}${halfMade}`));
  for (const name of names) await rm(join(dirname(folder), name), { recursive: true, force: true });
}

async function makeElsewhere(folder: string, signal: AbortSignal | undefined): Promise<void> {
  const child = fork(join(import.meta.dirname, 'make-pglite-main.ts'), [folder], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // It is over before optimised code pays: 3.2 s of CPU and 0.7 GB instead of 4.1 s and 1.2 GB.
    execArgv: [...process.execArgv, '--liftoff-only'],
  });
  let words = '';
  child.stderr?.on('data', (chunk) => {
    words = (words + chunk).slice(-2000);
  });
  const end = () => child.kill('SIGKILL');
  const timer = setTimeout(end, makingMs);
  signal?.addEventListener('abort', end);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  signal?.removeEventListener('abort', end);
  if (code !== 0) throw new Error(`The embedded database could not be made (exit ${code}): ${words}`);
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

/** True when every connection for questions was taken for too long: the words of `pg`, which has no code for it. */
export function isCrowded(error: unknown): boolean {
  return databaseFault(error).message === 'timeout exceeded when trying to connect';
}

/** True when the same statement would fail again however healthy the database is: SQLSTATE classes 22 and 23. */
export function isDataFault(error: unknown): boolean {
  return isAboutData(databaseFault(error).code);
}

function isAboutData(code: string): boolean {
  return /^2[23]...$/.test(code);
}
