/**
 * Entry of a short-lived process: makes the files of an embedded database, tables included. Argument: the folder. It takes
 * 3 to 12 s of a core and 0.7 GB for that time, which a process that lives on would not give back.
 */
import { makePglite } from './open-database.ts';

await makePglite(process.argv[2] ?? '');
process.exit(0);
