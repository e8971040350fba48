/** What TypeScript may call of system-packages.mjs, which runs before any package is there. */
export function installCommand(name: string, env: Readonly<Record<string, string | undefined>>): string;
