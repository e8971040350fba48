/** Whether the server of a model can be used from here, as a worker will find it: its key, an answer, its list of models. */
import { judgeCheck } from '../../models/chat/read-refusal.ts';
import { ModelFault, suggestion } from '../../models/repository/manifest.ts';
import type { Upstream } from '../../models/repository/upstream.ts';
import { readNamedSecret, SecretFault } from '../../shared/config/named-secret.ts';
import { OperatorHttp } from '../../shared/net/operator-http.ts';

const timeoutMs = 10_000;
/** A gateway with a thousand models tells of each in some 300 bytes. */
const replyBytesMax = 4 << 20;

/** What is odd but no fault, or null. Throws ModelFault for what a worker could not use. */
export async function checkUpstream(
  upstream: Upstream,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  const http = new OperatorHttp(upstream.url, 1);
  try {
    const { status, body } = await http.send({
      method: 'GET',
      url: `${upstream.url}/models`,
      headers: headersOf(upstream, env),
      timeoutMs,
      replyBytesMax,
    });
    const refusal = judgeCheck(status, body);
    if (refusal && 'reason' in refusal) throw new ModelFault(`The server at ${upstream.url}: ${refusal.reason}.`);
    return status === 200 ? missingFrom(body, upstream.model) : null;
  } catch (error) {
    if (error instanceof ModelFault) throw error;
    if (error instanceof SecretFault)
      throw new ModelFault(`${error.message}.`, { fix: `ls -l "$${upstream.apiKeyEnv}_FILE"` });
    throw new ModelFault(`The server at ${upstream.url} does not answer: ${(error as Error).message}.`, {
      fix: `curl -sS ${upstream.url}/models`,
    });
  } finally {
    http.close();
  }
}

function headersOf({ apiKeyEnv }: Upstream, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  if (apiKeyEnv === null) return {};
  const key = readNamedSecret(apiKeyEnv, env);
  if (key !== null) return { authorization: `Bearer ${key}` };
  throw new ModelFault(`${apiKeyEnv}, which holds the key of the server, is not set here.`, {
    fix: `export ${apiKeyEnv}=... where the workers start`,
  });
}

/** A server may know names that it does not list (LoRA adapters, aliases), so this is no fault. */
function missingFrom(body: string, model: string): string | null {
  let list: unknown;
  try {
    list = (JSON.parse(body) as { data?: unknown }).data;
  } catch {
    return null;
  }
  if (!Array.isArray(list) || list.length === 0) return null;
  const ids = list.map((entry) => String((entry as { id?: unknown } | null)?.id ?? ''));
  if (ids.includes(model)) return null;
  return `the server does not list ${model}${suggestion(model, ids)}`;
}
