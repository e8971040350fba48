/** docker-compose.yml as data: anchors and merges resolved, every profile's services, variables at their defaults. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

export const root = resolve(import.meta.dirname, '../..');

export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string };
  readonly command?: readonly string[];
  readonly user?: string;
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly logging?: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, string | number>> } };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export function readComposeFile(): ComposeFile {
  const file = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true });
  return settle(file) as ComposeFile;
}

/** As compose does it: variables are put into the values, not into the text. */
function settle(value: unknown): unknown {
  if (typeof value === 'string') return putDefaults(value);
  if (Array.isArray(value)) return value.map(settle);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, settle(one)]));
}

/** A default may hold a variable of its own: from the inside out. `$$` is a dollar. */
function putDefaults(text: string): string {
  const settled = text.replace(/\$\{\w+:-([^${}]*)\}/, '$1');
  return settled === text ? text.replaceAll('$$', '$') : putDefaults(settled);
}

/** `<source>:<target>[:ro]`. */
export function splitMount(mount: string): { readonly source: string; readonly target: string; readonly mode: string } {
  const [source = '', target = '', mode = 'rw'] = mount.split(':');
  return { source, target, mode };
}
