/** A container's health check: exit status 0 when the address (argument 1) answers 2xx; else says what is broken. */
const [, , url] = process.argv;
/** Below the 5 s that the health checks allow. */
const deadlineMs = 4000;

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(deadlineMs) });
  const text = await response.text();
  process.stdout.write(`${response.status} ${text.slice(0, 2000)}\n`);
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  process.stdout.write(`${url} does not answer: ${error.cause?.message ?? error.message}\n`);
  process.exitCode = 1;
}
