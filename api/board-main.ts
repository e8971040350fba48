/**
 * Entry of the operators' pages: queues, dead letters, tenants. Listens on ADMIN_HOST:ADMIN_PORT, or, behind a launcher
 * that owns that port and forwards /admin, on BOARD_PORT of the loopback.
 */
import { setPriority } from 'node:os';

/** Who looks on never takes a core from who works: also not while it loads, so the rest is imported afterwards. */
const niceness = 10;

setPriority(niceness);
const { runBoard } = await import('./board/run-board.ts');
await runBoard();
