/** Entry of a short-lived process: JSON lines -> Parquet with DuckDB, in bounded memory. Arguments: from, to. */
import { DuckDBInstance } from '@duckdb/node-api';

const [from = '', to = ''] = process.argv.slice(2);
const quote = (path: string) => `'${path.replaceAll("'", "''")}'`;
const instance = await DuckDBInstance.create(':memory:', { memory_limit: '512MB', threads: '1' });
const connection = await instance.connect();
// All lines are looked at for their types: a note may be there in the last one only.
await connection.run(
  `COPY (SELECT * FROM read_json(${quote(from)}, format = 'newline_delimited', sample_size = -1)) TO ${quote(to)} (FORMAT parquet, COMPRESSION zstd)`,
);
process.exit(0);
