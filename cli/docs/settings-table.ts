/** README's table of settings, made from shared/config/settings.ts: names, defaults and reasons are written once. Pure. */

const blockStart = '<!-- settings: written by `npm run docs` -->';
const blockEnd = '<!-- /settings -->';

interface SettingRow {
  readonly names: string[];
  readonly fallbacks: string[];
  readonly meaning: string;
}

/** Variables whose name says it all, and which have no comment in the schema. */
const plainWords: Readonly<Record<string, string>> = {
  LOG_LEVEL: 'Least level that is logged: trace to error, or silent.',
};

/** Replaces the table between README's markers. Throws when they are missing. */
export function putSettingsTable(readme: string, settingsSource: string): string {
  const from = readme.indexOf(blockStart);
  const to = readme.indexOf(blockEnd);
  if (from < 0 || to < from) throw new Error(`README.md has lost its markers ${blockStart} and ${blockEnd}.`);
  return `${readme.slice(0, from)}${blockStart}\n${settingsTable(settingsSource)}\n${readme.slice(to)}`;
}

/** A Markdown table with a row for every comment of the schema: variables that share one share the row. */
export function settingsTable(source: string): string {
  const rows = readRows(source).map(
    (row) => `| ${row.names.join(' ')} | ${row.fallbacks.join(' ')} | ${row.meaning} |`,
  );
  return ['| variable | default | what it does |', '|---|---|---|', ...rows].join('\n');
}

function readRows(source: string): SettingRow[] {
  const start = source.indexOf('z.object({');
  const body = source.slice(start, source.indexOf('\n});', start));
  // Group 1: the comment, if the variable has one of its own; group 2: its name; group 3: its schema.
  const pattern =
    /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?^ {2}([A-Z][A-Z0-9_]*):((?:(?!\n {2}(?:\/\*\*|[A-Z][A-Z0-9_]*:))[\s\S])*)/gm;
  const rows: SettingRow[] = [];
  for (const [, comment, name = '', schema = ''] of body.matchAll(pattern)) {
    const meaning = plainWords[name] ?? (comment === undefined ? undefined : oneLine(comment).replaceAll('|', '\\|'));
    const last = rows.at(-1);
    const row = meaning !== undefined || !last ? { names: [], fallbacks: [], meaning: meaning ?? '' } : last;
    if (row !== last) rows.push(row);
    row.names.push(asCode(name));
    row.fallbacks.push(fallbackOf(schema) || 'none');
  }
  return rows;
}

function fallbackOf(schema: string): string {
  const given =
    /\.default\(([^)]*)\)/.exec(schema)?.[1] ??
    /^\s*port\((\d+)\)/.exec(schema)?.[1] ??
    /: \['([^']*)'\]/.exec(schema)?.[1];
  if (given !== undefined) return asCode(given.replaceAll(/['"]/g, '').replaceAll('_', ''));
  return /^\s*flag\b/.test(schema) ? asCode('0') : '';
}

function asCode(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}

function oneLine(comment: string): string {
  return comment.replaceAll(/\s*\n\s*\*\s?/g, ' ').trim();
}
