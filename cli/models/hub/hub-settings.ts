/**
 * What people who use the Hub have set already, by the names that its Python library reads: HF_ENDPOINT, HF_TOKEN,
 * HF_HOME and its relatives. Files are kept in the same cache, so that what Python fetched is not fetched again.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

export interface HubSettings {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly cacheDir: string;
}

export function readHubSettings(env: Environment): HubSettings {
  const cache = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
  const home = env['HF_HOME'] || join(cache, 'huggingface');
  return {
    endpoint: (env['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, ''),
    token: env['HF_TOKEN'] || env['HUGGING_FACE_HUB_TOKEN'] || readToken(env['HF_TOKEN_PATH'] || join(home, 'token')),
    cacheDir: env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'] || join(home, 'hub'),
  };
}

/** Where `hf auth login` leaves it. */
function readToken(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
